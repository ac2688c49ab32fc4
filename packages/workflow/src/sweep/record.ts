import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Artifact } from "@nasty/compression/pipeline";
import { writeFileAtomic } from "@nasty/formats/archive/node";
import { parseJson } from "@nasty/formats/json";
import * as v from "valibot";
import type { Judged } from "./candidate.js";

/** What is known of a recipe, in a file of its own: a run that ended early loses what was under way. */
export interface CandidateRecord {
  /** Undefined before it was made. */
  readonly file: Artifact | undefined;
  /** Why its own step refused the file. */
  readonly refused: string | undefined;
  /** By the stride of the rung. */
  readonly judged: Readonly<Record<string, Judged>>;
}

const finite = v.pipe(v.number(), v.finite());
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const RecordSchema = v.object({
  schemaVersion: v.literal(1),
  name: v.string(),
  file: v.nullable(
    v.object({
      name: v.pipe(
        v.string(),
        v.check((name) => name === basename(name) && !name.startsWith(".")),
      ),
      bytes: count,
      sha256: v.string(),
    }),
  ),
  refused: v.nullable(v.string()),
  judged: v.record(
    v.pipe(v.string(), v.regex(/^[1-9]\d*$/)),
    v.object({ samples: count, value: finite, loss: finite, low: finite, high: finite, flips: count }),
  ),
});

const recordPath = (folder: string, name: string): string => join(folder, `${name}.json`);

/** What an earlier run left of a recipe; nothing where there is none, or what is there is none. */
export async function readRecord(folder: string, name: string): Promise<CandidateRecord> {
  const nothing = { file: undefined, refused: undefined, judged: {} };
  const text = await readFile(recordPath(folder, name), "utf8").catch(() => undefined);
  if (text === undefined) return nothing;
  let parsed: unknown;
  try {
    parsed = parseJson(text);
  } catch {
    return nothing;
  }
  const result = v.safeParse(RecordSchema, parsed);
  if (!result.success || result.output.name !== name) return nothing;
  const { file, refused, judged } = result.output;
  return {
    file:
      file === null ? undefined : { path: join(folder, file.name), bytes: file.bytes, sha256: file.sha256 },
    refused: refused ?? undefined,
    judged,
  };
}

export async function writeRecord(
  folder: string,
  name: string,
  { file, refused, judged }: CandidateRecord,
): Promise<void> {
  const document = {
    schemaVersion: 1,
    name,
    file: file === undefined ? null : { name: basename(file.path), bytes: file.bytes, sha256: file.sha256 },
    refused: refused ?? null,
    judged,
  };
  await writeFileAtomic(recordPath(folder, name), [Buffer.from(`${JSON.stringify(document)}\n`)]);
}
