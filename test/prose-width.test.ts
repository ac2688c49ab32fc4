import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const script = fileURLToPath(new URL("../scripts/prose-width.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "nasty-prose-"));
afterAll(() => rmSync(folder, { recursive: true }));

const run = (...args: string[]) => spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });

/** A text of words of five letters: 20 of them take 119 columns. */
const words = (count: number): string => Array.from({ length: count }, () => "prose").join(" ");

function written(name: string, text: string): { readonly found: string; readonly after: string } {
  const path = join(folder, name);
  writeFileSync(path, text);
  const { stderr } = run(path);
  expect(run("--write", path).status).toBe(0);
  expect(run(path).status).toBe(0);
  return { found: stderr, after: readFileSync(path, "utf8") };
}

describe("scripts/prose-width.mjs", () => {
  it("finds no prose of more than 120 columns in this repository", () => {
    const { stderr, status } = run();
    expect(stderr).toBe("");
    expect(status).toBe(0);
  }, 60_000);

  it("breaks paragraphs and items of Markdown, and leaves tables and code alone", () => {
    const kept = `| ${words(30)} |\n\n\`\`\`ts\n${words(30)}\n\`\`\`\n`;
    const { found, after } = written("page.md", `# Page\n\n${words(21)}\nprose\n\n- ${words(21)}\n\n${kept}`);
    expect(found).toMatch(/page\.md:3: prose of more than 120 columns\n.*page\.md:6: .*\n2 paragraphs/);
    expect(after).toBe(`# Page\n\n${words(20)}\n${words(2)}\n\n- ${words(19)}\n  ${words(2)}\n\n${kept}`);
  });

  it("breaks comments, and leaves code alone", () => {
    const code = `const text = "${words(30)}";\n`;
    const source = `/** ${words(20)} */\n${code}/**\n * One.\n *\n * @throws ${words(20)}\n */\n// ${words(20)}\n`;
    expect(written("source.ts", source).after).toBe(
      `/**\n * ${words(19)}\n * prose\n */\n${code}/**\n * One.\n *\n * @throws ${words(18)}\n *   ${words(2)}\n */\n// ${words(19)}\n// prose\n`,
    );
  });

  it("keeps code between backquotes and a dash with the word before it whole", () => {
    const { after } = written("whole.md", `${words(19)} \`a b c d\`\n\n${words(19)} prose - prose\n`);
    expect(after).toBe(`${words(19)}\n\`a b c d\`\n\n${words(19)}\nprose - prose\n`);
  });
});
