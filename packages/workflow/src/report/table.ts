import { createRequire } from "node:module";
import type CliTable from "cli-table3";

const plain = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

/** A table without rules: first column left-aligned, the others as `align` says (right by default). */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  align?: readonly ("left" | "right")[],
): string {
  // Loaded with the first table only: most runs have none, and a start counts in milliseconds.
  const Table = createRequire(import.meta.url)("cli-table3") as typeof CliTable;
  const made = new Table({
    head: [...head],
    chars: plain,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
    colAligns: head.map((_, column) => align?.[column] ?? (column === 0 ? "left" : "right")),
  });
  for (const row of rows) made.push([...row]);
  return made
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}
