// Prose is at most 120 columns wide, in Markdown and in comments of code, so that it can be read beside code; tables,
// blocks of code and single words that are longer (addresses) are excepted. Says where it is wider; with --write it
// breaks those paragraphs anew.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { commentParagraphs } from "./prose/comments.mjs";
import { markdownParagraphs } from "./prose/markdown.mjs";
import { isWide, wrapped } from "./prose/paragraph.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const isWriting = process.argv.includes("--write");

/** Files of the repository, those that are not committed yet too. */
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter(
    (name) => /\.(?:md|ts|mjs|js)$/.test(name) && !/\/gen\/|test\/corpus\/|test\/fixtures\//.test(name),
  );

let wide = 0;
for (const name of files) {
  const before = readFileSync(root + name, "utf8");
  const lines = before.split("\n");
  const paragraphs = name.endsWith(".md") ? markdownParagraphs(lines) : commentParagraphs(lines);
  // From the end, so that the places of those before stay.
  for (const paragraph of paragraphs.filter(isWide).reverse()) {
    wide++;
    if (isWriting) lines.splice(paragraph.start, paragraph.lines.length, ...wrapped(paragraph));
    else process.stderr.write(`${name}:${paragraph.start + 1}: prose of more than 120 columns\n`);
  }
  const after = lines.join("\n");
  if (isWriting && after !== before) writeFileSync(root + name, after);
}
if (wide > 0 && !isWriting) {
  process.stderr.write(`${wide} paragraphs; node scripts/prose-width.mjs --write breaks them anew\n`);
  process.exitCode = 1;
}
