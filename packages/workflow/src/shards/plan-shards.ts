import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { explain } from "../explanation/explain.js";
import type { Reporter } from "../reporter.js";
import { notPlain } from "../texts/plain-text.js";
import { currentReading } from "../texts/reading.js";
import { type OpenText, openText } from "../texts/text-form.js";
import { type Cut, cutGiven, cutPlain } from "./cut-text.js";
import type { FoundInput } from "./find-inputs.js";
import { endingOf, type Shard, type ShardInput, type ShardPlan, type ShardSettings } from "./shard.js";

/**
 * Cuts texts into shards: each a stretch of a text that no sentence crosses, named by all that its result depends on.
 *
 * A plan depends on the texts and the settings, on nothing else: whoever makes it, wherever, gets the same. Texts are
 * read once, in pieces; what is held is the list of shards. A text that cannot be read has none, and says why.
 *
 * @param onCut hears of each stretch as it is found
 */
export async function planShards(
  inputs: readonly FoundInput[],
  settings: ShardSettings,
  { note, signal, progress }: Pick<Reporter, "note" | "signal" | "progress">,
  onCut: () => void = () => undefined,
): Promise<ShardPlan> {
  const planned: ShardInput[] = [];
  const shards: Shard[] = [];
  progress.start("planning", inputs.length);
  for (const [index, input] of inputs.entries()) {
    signal?.throwIfAborted();
    const one = await planInput(input, index, { settings, signal, onCut });
    planned.push(one.input);
    // One by one: a text may have more shards than a call takes arguments.
    for (const shard of one.shards) shards.push(shard);
    progress.update(index + 1);
  }
  progress.stop();
  for (const doubt of currentReading().takeDoubts()) note(doubt);
  return { schema: 1, settings, inputs: planned, shards };
}

interface Cutting {
  readonly settings: ShardSettings;
  readonly signal: AbortSignal | undefined;
  readonly onCut: () => void;
}

interface PlannedInput {
  readonly input: ShardInput;
  readonly shards: readonly Shard[];
}

async function planInput(
  { path, name }: FoundInput,
  index: number,
  { settings, signal, onCut }: Cutting,
): Promise<PlannedInput> {
  const { size: bytes, mtimeMs: modified } = await stat(path).catch(() => ({ size: 0, mtimeMs: 0 }));
  const input = { name, form: "plain", bytes, modified, lead: 0 } as const;
  try {
    const text = await openText(path);
    if (settings.onePerLine && text.form !== "plain") {
      await text.close();
      throw notPlain(text.name);
    }
    const { cuts, lead } = await cutsOf(text, { settings, signal, onCut });
    const known = { ...input, form: text.form, lead };
    const shards = cuts.map((cut, at) => shardOf(cut, { input: known, index, at, text, settings }));
    return { input: known, shards };
  } catch (error) {
    signal?.throwIfAborted();
    const { code, message } = explain(error);
    // A fault of the program is none of the text.
    if (code === 1) throw error;
    return { input: { ...input, error: message }, shards: [] };
  }
}

async function cutsOf(
  text: OpenText,
  { settings: { shardWords: words, onePerLine }, signal, onCut }: Cutting,
): Promise<{ readonly cuts: readonly Cut[]; readonly lead: number }> {
  let lead = 0;
  const cuts: Cut[] = [];
  const found =
    text.form === "plain"
      ? cutPlain(text, { words, onePerLine })
      : cutGiven(text, { words }, (end) => {
          lead = end;
        });
  for await (const cut of found) {
    signal?.throwIfAborted();
    cuts.push(cut);
    onCut();
  }
  return { cuts, lead };
}

interface ShardPlace {
  readonly input: ShardInput;
  readonly index: number;
  readonly at: number;
  readonly text: OpenText;
  readonly settings: ShardSettings;
}

function shardOf(cut: Cut, { input, index, at, text, settings }: ShardPlace): Shard {
  const { start, end, offset, line, words, sha256 } = cut;
  const place = { input: index, index: at + 1, start, end, offset, line, words, sha256 };
  // Columns are told by the start of their text.
  const head = input.form === "plain" ? "" : sha256Of(text.head);
  const { form, name, lead } = input;
  const key = sha256Of(JSON.stringify([settings, name, form, lead, head, place]));
  const number = String(index + 1).padStart(5, "0");
  const shard = String(at + 1).padStart(6, "0");
  return { name: `${number}-${shard}-${key.slice(0, 16)}.${endingOf(settings, form)}`, ...place };
}

function sha256Of(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
