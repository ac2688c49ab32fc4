import { mixWords, toFloat32 } from "@nasty/core";
import { floatAttribute, makeValueInfo, type NodeProto } from "@nasty/formats/onnx";
import { type Graph, isStandard, type ValueTypes } from "@nasty/graph";
import { compilePattern, type NamePattern } from "@nasty/graph/patterns";
import { TrainingError } from "../training-error.js";
import { castTo, type GradientWriter, gradientWriter } from "./gradient-writer.js";

/** How the Dropout nodes whose names match are trained. */
export interface DropoutSetting {
  readonly node: NamePattern;
  /** Share of elements set to zero; the node's own unless given. */
  readonly ratio?: number;
  /** Axes along which one mask is shared, as variational dropout shares it over time. */
  readonly sharedAxes?: readonly number[];
}

/** Name of the training graph's input that seeds all masks of a step: uint32, shape [1]. */
export const dropoutSeedInput = "dropout_seed";

/**
 * Makes every Dropout node active: y = x·m, m = 1/(1 − ratio) with probability 1 − ratio, else 0.
 *
 * The mask is computed in the graph from the seed that is fed, the number of the node among the Dropout nodes and the
 * element's position: row r and column c are hashed to odd words A[r] and B[c], and the element is kept if A[r]·B[c]
 * mod 2^32, which is uniform over the odd words and independent for any two elements, is below the threshold.
 *
 * @returns whether the graph now has the seed input
 */
export function activateDropout(
  graph: Graph,
  types: ValueTypes,
  settings: readonly DropoutSetting[],
): boolean {
  const writer = gradientWriter(graph, "dropout/");
  const sites = dropoutSites(graph, types, settings);
  for (const place of sites) {
    const { node, ratio } = place;
    const [x = "", y = ""] = [node.input[0], node.output[0]];
    graph.removeNode(node);
    if (ratio === 0) {
      graph.addNode({ opType: "Identity", inputs: [x], outputs: [y] });
      continue;
    }
    const mask = maskOf(writer, x, place);
    graph.addNode({ opType: "Mul", name: `${node.name || y}/active`, inputs: [x, mask], outputs: [y] });
  }
  const isActive = sites.some(({ ratio }) => ratio > 0);
  if (isActive) graph.addInput(makeValueInfo(dropoutSeedInput, "uint32", [1]));
  return isActive;
}

/** A Dropout node and how it is trained. */
export interface DropoutSite {
  readonly node: NodeProto;
  /** Number of the node among the Dropout nodes, which its masks are hashed with. */
  readonly site: number;
  readonly ratio: number;
  /** Axes along which one mask is shared, from 0. */
  readonly shared: readonly number[];
  readonly rank: number;
}

/**
 * The Dropout nodes of a graph in their order, with ratios and shared axes.
 *
 * @throws TrainingError `unsupported-attribute`, `no-match` for a setting that no node has the name for.
 */
export function dropoutSites(
  graph: Graph,
  types: ValueTypes,
  settings: readonly DropoutSetting[],
): readonly DropoutSite[] {
  const unused = new Set(settings);
  const nodes = graph.nodes.filter((node) => node.opType === "Dropout" && isStandard(node));
  const sites = nodes.map((node, site): DropoutSite => {
    const setting =
      settings.find(({ node: pattern }) => pattern === node.name) ??
      settings.find(({ node: pattern }) => compilePattern(pattern)(node.name));
    if (setting !== undefined) unused.delete(setting);
    const ratio = setting?.ratio ?? ratioOf(graph, node);
    checkRatio(ratio, node);
    if ((node.output[1] ?? "") !== "")
      throw refused(node, "mask output", "not used", JSON.stringify(node.output[1]));
    const rank = types.typeOf(graph, node.input[0] ?? "")?.shape?.length;
    if (ratio === 0) return { node, site, ratio, shared: [], rank: rank ?? 0 };
    return { node, site, ratio, shared: sharedAxes(node, setting, rank), rank: rank ?? 0 };
  });
  for (const { node } of unused) {
    throw new TrainingError(
      "no-match",
      `buildTrainingGraph: dropout: node ${String(node)}: expected a Dropout node, got none of that name`,
    );
  }
  return sites;
}

function ratioOf(graph: Graph, node: NodeProto): number {
  const input = node.input[1] ?? "";
  if (input === "") return floatAttribute(node, "ratio", 0.5);
  const value = graph.constant(input);
  if (value === undefined)
    throw refused(node, "ratio", "a constant", `the computed value ${JSON.stringify(input)}`);
  return toFloat32(value)[0] as number;
}

function checkRatio(ratio: number, node: NodeProto): void {
  if (ratio >= 0 && ratio < 1) return;
  throw refused(node, "ratio", "a number in [0, 1)", String(ratio));
}

function sharedAxes(
  node: NodeProto,
  setting: DropoutSetting | undefined,
  rank: number | undefined,
): readonly number[] {
  const axes = setting?.sharedAxes ?? [];
  if (rank === undefined) throw refused(node, "input", "a known rank", "an unknown one");
  const normal = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  for (const axis of normal) {
    if (axis < 0 || axis >= rank) throw refused(node, "shared axis", `an axis of rank ${rank}`, String(axis));
  }
  return normal;
}

function maskOf(writer: GradientWriter, x: string, { site, ratio, shared, rank }: DropoutSite): string {
  const { op } = writer;
  let shape = writer.shape(x);
  if (shared.length > 0) {
    const isShared = writer.ints(Array.from({ length: rank }, (_, i) => (shared.includes(i) ? 1 : 0)));
    shape = op("Where", [op("Cast", [isShared], castTo("bool")), writer.ints([1]), shape]);
  }
  const columns =
    rank === 0 ? writer.ints([1]) : op("Slice", [shape, writer.ints([rank - 1]), writer.ints([rank])]);
  const rows = op("Div", [
    op("ReduceProd", [shape], { keepdims: 1 }),
    op("Max", [columns, writer.ints([1])]),
  ]);
  const a = hashes(writer, rows, mixWords(site, 1));
  const b = hashes(writer, columns, mixWords(site, 2));
  const words = op("Mul", [op("Unsqueeze", [a, writer.ints([1])]), b]);
  const threshold = Math.round((1 - ratio) * 4294967296) - 2147483648;
  const kept = op("Less", [words, writer.scalar(Math.min(threshold, 2147483647), "int32")]);
  // Not `Where`, which makes two tensors of its own first.
  const values = op("Mul", [op("Cast", [kept], castTo("float32")), writer.scalar(1 / (1 - ratio))]);
  return op("Reshape", [values, shape]);
}

/** Odd words, one for each of 0 … count − 1, hashed with the fed seed by the finaliser that `mix32` computes. */
function hashes(writer: GradientWriter, count: string, salt: number): string {
  const { op } = writer;
  const word = (value: number): string => writer.scalar(value >>> 0, "uint32");
  const range = op("Range", [writer.scalar(0, "int64"), op("Squeeze", [count]), writer.scalar(1, "int64")]);
  const spread = op("Mul", [op("Cast", [range], castTo("uint32")), word(0x9e3779b9)]);
  const shifted = (x: string, by: number): string =>
    op("BitwiseXor", [x, op("BitShift", [x, word(by)], { direction: "RIGHT" })]);
  // The seed is hashed with the salt first: neighbouring seeds and sites must not share masks.
  const key = op("Mul", [shifted(op("Add", [dropoutSeedInput, word(salt)]), 16), word(0x7feb352d)]);
  let x = op("BitwiseXor", [spread, shifted(key, 15)]);
  x = op("Mul", [shifted(x, 16), word(0x7feb352d)]);
  x = op("Mul", [shifted(x, 15), word(0x846ca68b)]);
  return op("Cast", [op("BitwiseOr", [shifted(x, 16), word(1)])], castTo("int32"));
}

function refused(node: NodeProto, what: string, expected: string, got: string): TrainingError {
  const name = node.name || node.output[0] || "";
  return new TrainingError(
    "unsupported-attribute",
    `buildTrainingGraph: node ${JSON.stringify(name)} (Dropout): ${what}: expected ${expected}, got ${got}`,
    { node: name, operator: "Dropout" },
  );
}
