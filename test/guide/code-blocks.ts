/** A fenced block of a Markdown text. */
export interface CodeBlock {
  /** `sh`, `ts`, `yaml`, `text`, … */
  readonly language: string;
  /** What follows the language on the fence: `recipe.yaml` in ```` ```yaml recipe.yaml ````. */
  readonly argument: string;
  readonly code: string;
  /** Line of its first line of code, from 1. */
  readonly line: number;
  /** The heading it stands under. */
  readonly section: string;
}

/** The fenced blocks of a Markdown text, in order. */
export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const lines = markdown.split("\n");
  let section = "";
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string;
    section = /^#+ (.+)$/.exec(line)?.[1] ?? section;
    const fence = /^```(\w+) ?(.*)$/.exec(line);
    if (fence === null) continue;
    const end = lines.indexOf("```", i + 1);
    if (end < 0) throw new Error(`line ${i + 1}: fence: expected an end, got none`);
    const [, language = "", argument = ""] = fence;
    blocks.push({ language, argument, code: lines.slice(i + 1, end).join("\n"), line: i + 2, section });
    i = end;
  }
  return blocks;
}
