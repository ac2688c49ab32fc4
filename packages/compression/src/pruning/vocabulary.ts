import { tensor } from "@nasty/core";
import { intAttribute, type NodeProto } from "@nasty/formats/onnx";
import { type Graph, type ModelGraph, type WeightSource, weightSource, weightUsage } from "@nasty/graph";
import { CompressionError } from "../compression-error.js";
import { nodeLabel } from "../plan/weight-sites.js";
import type { PlannedVocabulary } from "./plan.js";
import { replaceConstant, takeAlong } from "./slice.js";
import { passThrough } from "./trace.js";

export interface VocabularyOptions {
  /** Ids whose rows stay: those of a word list or corpus, and the special ones. */
  readonly keep: Iterable<number | bigint>;
  /** Id of the unknown word: stays, and stands for every dropped id. */
  readonly unknown: number;
  /** The model's input with the ids; left out, the one that the largest table is looked up with. */
  readonly input?: string;
  /**
   * `graph` (default): a small table in the model maps the ids that the tokenizer has always made to rows; nothing else
   * changes. `tokenizer`: the caller feeds new ids, by `report.vocabulary.newIds`.
   */
  readonly remap?: "graph" | "tokenizer";
}

interface Table {
  readonly node: NodeProto;
  readonly source: WeightSource;
  readonly input: string;
  readonly rows: number;
}

const refuse = (what: string, expected: string, got: string): CompressionError =>
  new CompressionError(
    "invalid-option",
    `pruner.plan: vocabulary: ${what}: expected ${expected}, got ${got}`,
  );

/** The graph input that ids come straight from. */
function inputBehind(graph: Graph, name: string): string | undefined {
  const node = graph.producer(name);
  if (node === undefined) {
    return graph.inputs.some((input) => input.name === name) ? name : undefined;
  }
  return passThrough.has(node.opType) ? inputBehind(graph, node.input[0] ?? "") : undefined;
}

function tablesOf(graph: Graph): Table[] {
  const tables: Table[] = [];
  for (const node of graph.nodes) {
    if (node.opType !== "Gather" || intAttribute(node, "axis", 0) !== 0) {
      continue;
    }
    const source = weightSource(graph, node.input[0] ?? "");
    const input = inputBehind(graph, node.input[1] ?? "");
    if (source?.tensor.shape.length === 2 && source.perm === undefined && input !== undefined) {
      tables.push({ node, source, input, rows: source.tensor.shape[0] ?? 0 });
    }
  }
  return tables.sort((a, b) => b.rows - a.rows);
}

/**
 * @throws CompressionError `invalid-option` naming the id or input, `unsupported` for a table that is read elsewhere
 * too
 */
export function planVocabulary(model: ModelGraph, options: VocabularyOptions): PlannedVocabulary {
  const { unknown, remap = "graph" } = options;
  const tables = tablesOf(model.main);
  const table = tables.find(({ input }) => options.input === undefined || input === options.input);
  if (table === undefined) {
    const known = [...new Set(tables.map(({ input }) => input))].join(", ") || "none";
    throw refuse(
      "input",
      `one that looks up an embedding table (${known})`,
      options.input ?? "no such input",
    );
  }
  const { node, source, input, rows } = table;
  if (weightUsage(source.graph, source.name).shared) {
    throw new CompressionError(
      "unsupported",
      `pruner.plan: vocabulary: tensor ${JSON.stringify(source.name)}: readers: expected ${nodeLabel(node)} alone, got others too (a tied output layer needs every row)`,
      { tensor: source.name, node: nodeLabel(node) },
    );
  }
  const keep = new Set<number>([unknown]);
  for (const id of options.keep) {
    keep.add(Number(id));
  }
  for (const id of keep) {
    if (!Number.isInteger(id) || id < 0 || id >= rows) {
      throw refuse(id === unknown ? "unknown" : "keep", `ids from 0 to ${rows - 1}`, String(id));
    }
  }
  if (remap !== "graph" && remap !== "tokenizer") {
    throw refuse("remap", "graph or tokenizer", String(remap));
  }
  const ascending = [...keep].sort((a, b) => a - b);
  return { table: source.name, output: node.output[0] ?? "", input, rows, keep: ascending, unknown, remap };
}

/** New id by old id. */
export function newIdsOf({ rows, keep, unknown }: PlannedVocabulary): number[] {
  const position = new Map(keep.map((id, index) => [id, index]));
  const fallback = position.get(unknown) ?? 0;
  return Array.from({ length: rows }, (_, id) => position.get(id) ?? fallback);
}

/** Drops the rows, and puts the table of new ids in front where the plan says so. */
export function applyVocabulary(model: ModelGraph, plan: PlannedVocabulary): void {
  const graph = model.main;
  const node = graph.producer(plan.output);
  const source = node?.opType === "Gather" ? weightSource(graph, node.input[0] ?? "") : undefined;
  if (node === undefined || source?.name !== plan.table || source.tensor.shape[0] !== plan.rows) {
    throw new CompressionError(
      "plan-mismatch",
      `pruner.apply: tensor ${JSON.stringify(plan.table)}: expected an embedding table of ${plan.rows} rows, got none`,
      { tensor: plan.table },
    );
  }
  replaceConstant(source, takeAlong(source.tensor, 0, plan.keep));
  if (plan.remap === "tokenizer") {
    return;
  }
  const ids = tensor("int32", [plan.rows], Int32Array.from(newIdsOf(plan)));
  const rows = graph.uniqueName(`${nodeLabel(node)}/row`);
  const inputs = [graph.addInitializer(`${plan.table}.rows`, ids), node.input[1] ?? ""];
  graph.addNode(
    { opType: "Gather", name: `${nodeLabel(node)}/rows`, inputs, outputs: [rows] },
    { before: node },
  );
  graph.setInput(node, 1, rows);
}
