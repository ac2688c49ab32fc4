import type { Report } from "./problem.js";
import type { RowId } from "./validate-order.js";

const HEAD = 6;
const DEPS = 8;

interface CheckedRow {
  readonly id: RowId;
  readonly fields: readonly string[];
}

/**
 * Checks that the words of a sentence form a tree: one of them hangs on the root, and the root is reached from all.
 *
 * @param rows a sentence whose IDs count 1, 2, 3, …; heads that are no word of it were reported, and nothing is said
 *   here
 */
export function checkTree(rows: readonly CheckedRow[], report: Report): void {
  const words = rows.filter(({ id }) => id.kind === "word");
  const heads = words.map(({ fields }) => Number(fields[HEAD]));
  const isWord = (head: number): boolean => Number.isInteger(head) && head >= 0 && head <= words.length;
  if (heads.some((head, index) => !isWord(head) || head === index + 1)) return;
  const roots = words.filter((_, index) => heads[index] === 0);
  if (roots.length > 1) {
    const [, second] = roots as [CheckedRow, CheckedRow];
    const got = roots.map(({ id }) => id.text).join(", ");
    report(second.id.line, HEAD + 1, "roots", "roots of the sentence", "one", got);
  }
  const children: number[][] = [[], ...words.map(() => [])];
  for (const [index, head] of heads.entries()) (children[head] as number[]).push(index + 1);
  const reached = reachedFrom(0, (node) => children[node] as number[]);
  const lost = words.filter(({ id }) => !reached.has(Number(id.text)));
  const [first] = lost;
  if (first === undefined) return;
  const got = `${lost.map(({ id }) => id.text).join(", ")} hanging on each other`;
  report(first.id.line, HEAD + 1, "cycle", "heads", "a way to the root from every word", got);
}

/** Enhanced graphs seen so far: a file has them in every sentence, or in none. */
export interface EnhancedState {
  with: number | undefined;
  without: number | undefined;
}

/**
 * Checks that the enhanced graph, where a file has one, is there in every sentence and reaches every word and empty
 * node from the root.
 *
 * Edges from what is no node were reported, and then nothing is said of what the graph reaches.
 *
 * @param line line of the first row
 */
export function checkEnhancedGraph(
  rows: readonly CheckedRow[],
  line: number,
  state: EnhancedState,
  report: Report,
): void {
  const nodes = rows.filter(({ id }) => id.kind !== "multiword");
  // Empty nodes without edges are what is left where a graph was taken out: they make none.
  const exists = nodes.some(({ fields }) => fields[DEPS] !== "_");
  const other = exists ? state.without : state.with;
  if (exists) {
    if (state.with === undefined && other !== undefined)
      report(line, DEPS + 1, "enhanced-graph", "enhanced graph", `none, as at line ${other}`, "one");
    state.with ??= line;
  } else {
    if (state.without === undefined && other !== undefined)
      report(line, DEPS + 1, "enhanced-graph", "enhanced graph", `one, as at line ${other}`, "none");
    state.without ??= line;
    return;
  }
  const children = new Map<string, string[]>([
    ["0", []],
    ...nodes.map(({ id }): [string, string[]] => [id.text, []]),
  ]);
  for (const { id, fields } of nodes) {
    if (fields[DEPS] === "_") continue;
    for (const edge of (fields[DEPS] as string).split("|")) {
      const head = edge.slice(0, Math.max(0, edge.indexOf(":")));
      const below = children.get(head);
      if (below === undefined) return;
      below.push(id.text);
    }
  }
  const reached = reachedFrom("0", (node) => children.get(node) as string[]);
  const lost = nodes.filter(({ id }) => !reached.has(id.text));
  const [first] = lost;
  if (first === undefined) return;
  const got = `none to ${lost.map(({ id }) => id.text).join(", ")}`;
  report(
    first.id.line,
    DEPS + 1,
    "enhanced-graph",
    "enhanced graph",
    "a way from the root to every node",
    got,
  );
}

/** The nodes below one; a cycle is walked once. */
function reachedFrom<Node>(root: Node, childrenOf: (node: Node) => readonly Node[]): ReadonlySet<Node> {
  const reached = new Set<Node>();
  const open = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const child of childrenOf(node)) {
      if (reached.has(child)) continue;
      reached.add(child);
      open.push(child);
    }
  }
  return reached;
}
