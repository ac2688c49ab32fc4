import { resolve } from "node:path";
import { openText } from "../texts/text-form.js";
import { type ByteRanges, openRanges } from "./byte-ranges.js";
import { checkedBytes } from "./shard-bytes.js";
import type { ShardTask } from "./shard-task.js";
import type { Shard, ShardInput, ShardPlan } from "./shard.js";

/**
 * Makes tasks of shards. Whoever does one reads the text himself where it lies in a plain file: several do that at
 * once. A compressed text is unpacked here, fastest in the order of the plan, see {@link openRanges}.
 */
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
      const { name, form } = plan.inputs[shard.input] as ShardInput;
      const source = (await ranges.isPlain())
        ? { path: resolve(paths[shard.input] as string) }
        : { bytes: checkedBytes(await ranges.read(shard.start, shard.end), shard, name) };
      const own = shard.start === 0 ? new Uint8Array() : lead;
      return { shard, settings: plan.settings, input: { name, form }, source, lead: own, head };
    },
    close,
  };
}

async function headOf(path: string): Promise<string> {
  const { head, close } = await openText(path);
  await close();
  return head;
}
