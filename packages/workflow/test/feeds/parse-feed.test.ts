import { type Tensor, tensor } from "@nasty/core";
import type { ValueInfo } from "@nasty/runtime";
import { expect, test } from "vitest";
import { feedBatches, type FeedSample } from "../../src/feeds/feed-sample.js";
import { parseFeed } from "../../src/feeds/parse-feed.js";

const inputs: readonly ValueInfo[] = [
  { name: "ids", dtype: "int64", shape: ["batch", "length"] },
  { name: "sr", dtype: "int64", shape: [] },
  { name: "mask", dtype: "bool", shape: ["batch", "length"] },
  { name: "sound", dtype: "float32", shape: ["batch", 2] },
];
const at = { where: "read x.jsonl: line 7", place: "line 7" };
const good = { ids: [[1, "9007199254740993"]], sr: 16_000, mask: [[true, 0]], sound: [[0.5, -1]] };
const parse = (value: unknown) => parseFeed(JSON.stringify(value), inputs, at);

test("nested lists, digits in quotes, booleans and numbers become tensors of the graph's types", () => {
  const { feeds, place, label } = parse(good);
  expect(place).toBe("line 7");
  expect(label).toBeUndefined();
  expect(feeds["ids"]).toEqual(tensor("int64", [1, 2], BigInt64Array.of(1n, 9007199254740993n)));
  expect(feeds["sr"]).toEqual(tensor("int64", [], BigInt64Array.of(16_000n)));
  expect(feeds["mask"]).toEqual(tensor("bool", [1, 2], Uint8Array.of(1, 0)));
  expect(feeds["sound"]).toEqual(tensor("float32", [1, 2], Float32Array.of(0.5, -1)));
  expect(parse({ ...good, label: 3 }).label).toBe(3);
});

test.each<readonly [unknown, RegExp]>([
  [[1], /^read x\.jsonl: line 7: expected an object of inputs such as \{"ids": …, .*\}, got a list$/],
  [
    { ...good, sound: undefined },
    /input sound: expected float32 \[batch, 2\], got none; the line must name every/,
  ],
  [
    { ...good, sounds: 1 },
    /sounds: expected one of the graph's inputs \(ids, sr, mask, sound\), got an unknown name; did you mean sound\?/,
  ],
  [
    { ...good, sound: [0.5, -1] },
    /input sound: shape: expected float32 \[batch, 2\], got \[2\]; every axis is written, that of the batch too/,
  ],
  [{ ...good, sound: [[1, 2, 3]] }, /input sound: shape: expected float32 \[batch, 2\], got \[1, 3\]/],
  [{ ...good, ids: [[1, 2], [3]] }, /input ids\[1\]: expected a list of 2 as its neighbours .* got 1/],
  [
    { ...good, ids: [[1, 2 ** 53]] },
    /input ids\[0\]\[1\]: expected an integer below 2\^53 \(int64\), or its digits in quotes/,
  ],
  [{ ...good, ids: [[1.5, 2]] }, /input ids\[0\]\[0\]: expected an integer \(int64\), got 1\.5/],
  [{ ...good, ids: [["99999999999999999999", 2]] }, /expected an integer of 64 bits \(int64\)/],
  [{ ...good, mask: [[2, 0]] }, /input mask\[0\]\[0\]: expected true or false, got 2/],
  [{ ...good, sound: [["a", 1]] }, /input sound\[0\]\[0\]: expected a number \(float32\), got "a"/],
  [{ ...good, label: "x" }, /label: expected the number of the right class, from 0, got "x"/],
])("refuses %j with line and place", (value, message) => {
  expect(() => parse(value)).toThrow(message);
});

test("what is no JSON is refused with the line", () => {
  expect(() => parseFeed("{", inputs, at)).toThrow(/^read x\.jsonl: line 7: expected an object of inputs/);
});

const row = (values: readonly number[], place = ""): FeedSample => ({
  place,
  feeds: { x: tensor("float32", [1, values.length], Float32Array.from(values)) },
});

test("samples of equal shapes share a run, others do not, and nothing is padded", () => {
  const x: ValueInfo = { name: "x", dtype: "float32", shape: ["batch", "length"] };
  const samples = [row([1, 2]), row([3]), row([4, 5]), row([6, 7])];
  const shapes = (info: ValueInfo, size: number) =>
    [...feedBatches(samples, [info], size)].map(({ x: value }) => [
      (value as Tensor).shape,
      [...((value as Tensor).data as Float32Array)],
    ]);
  expect(shapes(x, 2)).toEqual([
    [
      [2, 2],
      [1, 2, 4, 5],
    ],
    [[1, 1], [3]],
    [
      [1, 2],
      [6, 7],
    ],
  ]);
  expect(shapes({ ...x, shape: [1, "length"] }, 2)).toHaveLength(4);
});
