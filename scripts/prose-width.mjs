// Prose is at most 120 columns wide, in Markdown and in comments of code, so that it can be read beside code; tables,
// blocks of code and single words that are longer (addresses) are excepted. Says where it is wider; with --write it
// breaks those paragraphs anew. Takes the files of the repository, or those that are named.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { commentParagraphs } from "./prose/comments.mjs";
import { markdownParagraphs } from "./prose/markdown.mjs";
import { isWide, wrapped } from "./prose/paragraph.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const isWriting = process.argv.includes("--write");
const named = process.argv.slice(2).filter((argument) => argument !== "--write");

/** Files of the repository, those that are not committed yet too, but for deleted ones. */
function repositoryFiles() {
  const listed = ["ls-files", "--cached", "--others", "--exclude-standard"];
  return execFileSync("git", listed, { cwd: root, encoding: "utf8" })
    .split("\n")
    .map((name) => join(root, name))
    .filter((file) => existsSync(file));
}

const files = (named.length > 0 ? named.map((name) => resolve(name)) : repositoryFiles()).filter(
  (name) => /\.(?:md|ts|mjs|js)$/.test(name) && !/\/gen\/|test\/corpus\/|test\/fixtures\//.test(name),
);

let wide = 0;
for (const file of files) {
  const before = readFileSync(file, "utf8");
  const lines = before.split("\n");
  const paragraphs = file.endsWith(".md") ? markdownParagraphs(lines) : commentParagraphs(lines);
  const found = paragraphs.filter(isWide);
  // Written from the end, so that the places of those before stay.
  for (const paragraph of isWriting ? found.reverse() : found) {
    wide++;
    if (isWriting) lines.splice(paragraph.start, paragraph.lines.length, ...wrapped(paragraph));
    else
      process.stderr.write(
        `${relative(root, file)}:${paragraph.start + 1}: prose of more than 120 columns\n`,
      );
  }
  const after = lines.join("\n");
  if (isWriting && after !== before) writeFileSync(file, after);
}
if (wide > 0 && !isWriting) {
  process.stderr.write(`${wide} paragraphs; node scripts/prose-width.mjs --write breaks them anew\n`);
  process.exitCode = 1;
}
