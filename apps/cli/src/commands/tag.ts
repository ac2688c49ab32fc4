import { runTagging } from "@nasty/workflow/tagging";
import type { CommonOptions, Terminal } from "../terminal/console.js";

/** `nasty tag`: raw text in, tagged words or entities out, sentence by sentence as the text is read. */
export async function tagText(
  options: Parameters<typeof runTagging>[0] & CommonOptions,
  terminal: Terminal,
  path = "-",
): Promise<void> {
  // Entities are JSON already.
  const isJson = options.json === true && options.format !== "entities";
  const settings = isJson ? { ...options, format: "json" as const } : options;
  await runTagging(settings, terminal, { path, write: terminal.write });
}
