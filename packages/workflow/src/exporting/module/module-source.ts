import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { TaggerSettings } from "@nasty/taggers";
import { labellingOfSettings } from "@nasty/taggers";
import type { PackedTagger } from "./packed-tagger.js";

/** Bytes that are turned to base64 at a time: whole groups of three, so that the pieces join. */
const pieceBytes = 3 << 20;

/** The text of a module, in pieces: the code for its kind of tagger, what it says of itself, and what it carries. */
export async function* moduleSource(
  settings: TaggerSettings,
  { bytes }: PackedTagger,
  declarations: string,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  const { task } = labellingOfSettings(settings);
  yield encoder.encode(
    `// A tagger of ${task === "ner" ? "named entities" : "parts of speech"}, made by "nasty export --target module". Types: ${JSON.stringify(declarations)}.\n`,
  );
  yield await moduleCode(settings.kind);
  yield encoder.encode(
    `export const task=${JSON.stringify(task)};export const labels=${JSON.stringify(settings.labels)};\nconst nastyTagger="`,
  );
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = bytes.subarray(at, at + pieceBytes);
    yield encoder.encode(Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString("base64"));
  }
  yield encoder.encode('";\n');
}

/** The code that the build of this package bundled. */
async function moduleCode(kind: TaggerSettings["kind"]): Promise<Uint8Array> {
  const manifest = createRequire(import.meta.url).resolve("@nasty/workflow/package.json");
  return readFile(join(dirname(manifest), "dist", "tagger-module", `${kind}.js`));
}
