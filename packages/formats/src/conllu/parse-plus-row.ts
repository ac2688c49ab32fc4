import { columnNames, isStandardColumn } from "./columns.js";
import { parseRow, type Refuse } from "./parse-row.js";
import type { Row } from "./sentence.js";

/** Where the columns of a CoNLL-U Plus file stand. */
export interface PlusLayout {
  readonly names: readonly string[];
  /** Place in the row of each of the ten columns, −1 where the file lacks it. */
  readonly places: readonly number[];
  /** Places of the columns that CoNLL-U does not know. */
  readonly others: readonly number[];
}

/**
 * The layout that `# global.columns` declares, undefined where it is that of CoNLL-U itself.
 *
 * @throws what `refuse` makes of `syntax`: no FORM, a name twice
 */
export function plusLayout(names: readonly string[], refuse: Refuse): PlusLayout | undefined {
  if (names.join(" ") === columnNames.join(" ")) return undefined;
  const repeated = names.find((name, index) => names.indexOf(name) < index);
  if (repeated !== undefined) throw refuse("syntax", "global.columns", "each name once", `${repeated} twice`);
  if (!names.includes("FORM"))
    throw refuse("syntax", "global.columns", "FORM among the names", names.join(" ") || "no name");
  return {
    names,
    places: columnNames.map((name) => names.indexOf(name)),
    others: names.flatMap((name, index) => (isStandardColumn(name) ? [] : [index])),
  };
}

/**
 * One row of a CoNLL-U Plus file; columns that the file lacks read as `_`.
 *
 * @param nextId the number of the row where the file has no ID column
 */
export function parsePlusRow(line: string, layout: PlusLayout, nextId: number, refuse: Refuse): Row {
  const { names, places, others } = layout;
  const fields = line.split("\t");
  if (fields.length !== names.length) {
    throw refuse("column-count", "column count", `${names.length} (global.columns)`, String(fields.length));
  }
  const ten = places.map((place, column) =>
    place < 0 ? (column === 0 ? String(nextId) : "_") : (fields[place] as string),
  );
  const text = ten.join("\t");
  const row = parseRow(text, 0, text.length, (code, what, expected, got, column) =>
    refuse(code, what, expected, got, column === undefined ? undefined : (places[column - 1] as number) + 1),
  );
  return others.length === 0 ? row : { ...row, extra: others.map((place) => fields[place] as string) };
}
