import { UsageError } from "@nasty/workflow/command";
import { runTagging } from "@nasty/workflow/tagging";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import type { TagCommandOptions } from "../tagging/tag-options.js";

/** What only the result of a corpus has. */
const ofFolders = ["merge", "resume", "failFast", "shard", "compress", "queue"] as const;

/**
 * `nasty tag`: raw text in, tagged words or entities out, sentence by sentence as the text is read; with `--output` a
 * corpus into a folder.
 */
export async function tagText(
  options: TagCommandOptions & CommonOptions,
  terminal: Terminal,
  ...inputs: string[]
): Promise<void> {
  if (options.output !== undefined) {
    const { tagFolder } = await import("../tagging/tag-folder.js");
    return tagFolder({ ...options, output: options.output }, terminal, inputs);
  }
  const { format } = options;
  const misplaced = ofFolders.find((name) => options[name] !== undefined);
  if (misplaced !== undefined || format === "parquet") {
    const what = misplaced === undefined ? "--format parquet" : `--${misplaced.replace("F", "-f")}`;
    throw new UsageError(`tag: ${what}: expected --output beside it, with a folder for the result, got none`);
  }
  if (inputs.length > 1) {
    throw new UsageError(
      `tag: inputs: expected one text for standard output, got ${inputs.length}; give --output and a folder for the result`,
    );
  }
  // Entities are JSON already.
  const isJson = options.json === true && format !== "entities";
  const chosen = isJson ? "json" : format;
  const { format: _, ...others } = options;
  const settings = { ...others, ...(chosen !== undefined && { format: chosen }) };
  await runTagging(settings, terminal, { path: inputs[0] ?? "-", write: terminal.write });
}
