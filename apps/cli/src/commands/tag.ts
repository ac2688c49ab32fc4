import { runTagging } from "@nasty/workflow/tagging";
import type { CommonOptions, Terminal } from "../terminal/console.js";

/** `nasty tag`: raw text in, tagged words out, sentence by sentence as the text is read. */
export async function tagText(
  options: Parameters<typeof runTagging>[0] & CommonOptions,
  terminal: Terminal,
  path = "-",
): Promise<void> {
  const settings = options.json === true ? { ...options, format: "json" as const } : options;
  await runTagging(settings, terminal, { path, write: terminal.write });
}
