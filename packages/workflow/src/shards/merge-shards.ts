import { createReadStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { uncompressedName } from "@nasty/formats/archive";
import { type WrittenFile, writeFileAtomic } from "@nasty/formats/archive/node";
import { InputError } from "../errors.js";
import type { Reporter } from "../reporter.js";
import { readPlan } from "./plan-file.js";
import { stateOfShard } from "./shard-files.js";
import { endingOf, type Shard, type ShardInput, type ShardPlan } from "./shard.js";

/** A shard that is not there, or not as its manifest says. */
export interface LackingShard {
  readonly name: string;
  /** The text that it is of. */
  readonly input: string;
  readonly state: "missing" | "damaged";
}

/** What a folder of shards holds, and what was made of it. */
export interface MergeResult {
  readonly output: string;
  readonly shards: number;
  readonly sentences: number;
  readonly words: number;
  /** Bytes of all shards. */
  readonly bytes: number;
  readonly lacking: readonly LackingShard[];
  /** Texts without shards, and why they cannot be read. */
  readonly failed: readonly { readonly input: string; readonly error: string }[];
  /** One file a text; none for Parquet, whose shards are one table as they are, and none where something lacks. */
  readonly merged: readonly (WrittenFile & { readonly path: string; readonly input: string })[];
}

/**
 * Checks every shard of a folder against its manifest, bytes included, and joins those of each text to one file in
 * `merged/`, if all are there.
 *
 * @throws InputError for a folder without a plan
 */
export async function mergeShards(
  folder: string,
  { progress, signal }: Pick<Reporter, "progress" | "signal">,
): Promise<MergeResult> {
  const plan = await readPlan(folder);
  if (plan === undefined) {
    throw new InputError(
      `tag: --merge: ${folder}: expected a folder of shards, got no plan in it; name the folder that --output named`,
    );
  }
  const counts = { sentences: 0, words: 0, bytes: 0 };
  const lacking: LackingShard[] = [];
  progress.start("checking shards", plan.shards.length);
  for (const [index, { name, input }] of plan.shards.entries()) {
    signal?.throwIfAborted();
    const state = await stateOfShard(folder, name);
    if (state.kind === "finished") {
      counts.sentences += state.manifest.sentences;
      counts.words += state.manifest.words;
      counts.bytes += state.manifest.bytes;
    } else lacking.push({ name, input: (plan.inputs[input] as ShardInput).name, state: state.kind });
    progress.update(index + 1);
  }
  progress.stop();
  const failed = plan.inputs.flatMap(({ name, error }) =>
    error === undefined ? [] : [{ input: name, error }],
  );
  const isWhole = lacking.length === 0 && plan.settings.format !== "parquet";
  const merged = isWhole ? await joinAll(folder, plan, signal) : [];
  return { output: folder, shards: plan.shards.length, ...counts, lacking, failed, merged };
}

async function joinAll(
  folder: string,
  plan: ShardPlan,
  signal: AbortSignal | undefined,
): Promise<MergeResult["merged"]> {
  const groups = plan.inputs.map((): Shard[] => []);
  for (const shard of plan.shards) groups[shard.input]?.push(shard);
  const names = mergedNames(plan);
  const merged: MergeResult["merged"][number][] = [];
  for (const [index, input] of plan.inputs.entries()) {
    if (input.error !== undefined) continue;
    signal?.throwIfAborted();
    const path = join(folder, "merged", names[index] as string);
    await mkdir(dirname(path), { recursive: true });
    const written = await writeFileAtomic(path, bytesOf(folder, groups[index] ?? [], signal));
    merged.push({ input: input.name, path, ...written });
  }
  return merged;
}

/** The text's name with the ending of the result; endings are not said twice unless two names would be one. */
function mergedNames({ inputs, settings }: ShardPlan): readonly string[] {
  const endings = inputs.map(({ form }) => `.${endingOf(settings, form)}`);
  const names = inputs.map(({ name }) => checkedName(name));
  const short = names.map((name, at) => {
    const ending = endings[at] as string;
    const unpacked = uncompressedName(name);
    const plain = ending.replace(/\.(?:gz|zst)$/, "");
    return (unpacked.endsWith(plain) ? unpacked.slice(0, -plain.length) : unpacked) + ending;
  });
  return new Set(short).size === short.length ? short : names.map((name, at) => `${name}${endings[at]}`);
}

/** A plan comes from a file: its names must not lead out of the folder. */
function checkedName(name: string): string {
  const parts = name.split("/");
  if (
    name === "" ||
    parts.some((part) => part === "" || part === "." || part === "..") ||
    /[\0\\]/.test(name)
  ) {
    throw new InputError(
      `tag: --merge: plan.json: name of a text: expected a path below the folder, got ${JSON.stringify(name)}`,
    );
  }
  return name;
}

/** Streams of gzip and zstd that follow each other are one, as their formats say; so are lines. */
async function* bytesOf(
  folder: string,
  shards: readonly Shard[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for (const { name } of shards) {
    signal?.throwIfAborted();
    yield* createReadStream(join(folder, name), { highWaterMark: 1 << 18 }) as AsyncIterable<Uint8Array>;
  }
}
