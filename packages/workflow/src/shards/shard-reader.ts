import { createHash } from "node:crypto";
import { InputError } from "../errors.js";
import { openText } from "../texts/text-form.js";
import { type ByteRanges, openRanges } from "./byte-ranges.js";
import type { Shard, ShardInput, ShardPlan, ShardSettings } from "./shard.js";

/** A shard with its text: all that is needed to do it, wherever. */
export interface ShardTask {
  readonly shard: Shard;
  readonly settings: ShardSettings;
  readonly input: Pick<ShardInput, "name" | "form">;
  readonly bytes: Uint8Array;
  /** Start of the whole text up to the end of its first sentence, for shards that do not begin with it. */
  readonly lead: Uint8Array;
  /** Start of the whole text, by which its columns are told. */
  readonly head: string;
}

/** Reads the texts of shards; fastest in the order of the plan, see {@link openRanges}. */
export interface ShardReader {
  /**
   * @throws InputError for a text that is not what it was when it was planned; FormatError as `readChunks`
   */
  read(shard: Shard): Promise<ShardTask>;
  close(): Promise<void>;
}

interface OpenInput {
  readonly index: number;
  readonly ranges: ByteRanges;
  readonly lead: Uint8Array;
  readonly head: string;
}

/** @param paths of the plan's inputs, in their order */
export function openShardReader(plan: ShardPlan, paths: readonly string[]): ShardReader {
  let current: OpenInput | undefined;
  const close = async (): Promise<void> => {
    await current?.ranges.close();
    current = undefined;
  };
  const open = async (index: number): Promise<OpenInput> => {
    if (current?.index === index) return current;
    await close();
    const path = paths[index] as string;
    const { form, lead } = plan.inputs[index] as ShardInput;
    const ranges = openRanges(path);
    if (form === "plain") return (current = { index, ranges, lead: new Uint8Array(), head: "" });
    const head = await headOf(path);
    return (current = { index, ranges, lead: await ranges.read(0, lead), head });
  };
  return {
    async read(shard) {
      const { ranges, lead, head } = await open(shard.input);
      const bytes = await ranges.read(shard.start, shard.end);
      const { name, form } = plan.inputs[shard.input] as ShardInput;
      if (createHash("sha256").update(bytes).digest("hex") !== shard.sha256) {
        throw new InputError(
          `read ${name}: bytes ${shard.start} to ${shard.end}: expected what was there when it was planned, got other text; run again to plan anew`,
        );
      }
      const own = shard.start === 0 ? new Uint8Array() : lead;
      return { shard, settings: plan.settings, input: { name, form }, bytes, lead: own, head };
    },
    close,
  };
}

async function headOf(path: string): Promise<string> {
  const { head, close } = await openText(path);
  await close();
  return head;
}
