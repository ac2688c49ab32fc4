import type { RecipeNode, RecipeReader } from "./recipe-nodes.js";
import { type DataName, dataNames, type RecipeData, type RecipeText, type TextPart } from "./recipe.js";

/** The data section: each text a path, or `{ file, part, count }`; calibration one or several. */
export function readData(reader: RecipeReader, node: RecipeNode | undefined): RecipeData {
  if (node?.value === undefined) return {};
  const data: Partial<Record<DataName, readonly RecipeText[]>> = {};
  for (const entry of reader.entries(node, "data", dataNames)) {
    const name = entry.key as DataName;
    const what = `data: ${name}`;
    const isList = reader.isList(entry);
    if (isList && name !== "calibration") {
      throw reader.fail(entry.at, `${what}: expected one text, got a list (calibration may have several)`);
    }
    const items = isList ? reader.items(entry, what) : [entry];
    if (items.length === 0)
      throw reader.fail(entry.at, `${what}: expected at least one text, got an empty list`);
    data[name] = items.map((item) => readText(reader, item, name));
  }
  return data;
}

const isCalibration = (name: DataName): boolean => name === "calibration";

function readText(reader: RecipeReader, node: RecipeNode, name: DataName): RecipeText {
  const what = `data: ${name}`;
  if (!reader.isMapping(node)) {
    const written = reader.text(node, what, "a path or sample");
    const counted = isCalibration(name) ? /^(.+):(\d+)$/.exec(written) : null;
    if (counted === null) return { file: fileName(reader, node, { what, written }), at: node.at };
    const count = wholeNumber(reader, node, { what: `${what}: count`, written: counted[2]! });
    return { file: fileName(reader, node, { what, written: counted[1]! }), count, at: node.at };
  }
  const keys = isCalibration(name) ? ["file", "part", "count"] : ["file", "part"];
  const entries = reader.entries(node, what, keys);
  const file = entries.find(({ key }) => key === "file");
  if (file === undefined) throw reader.fail(node.at, `${what}: file: expected a path or sample, got none`);
  const part = entries.find(({ key }) => key === "part");
  const count = entries.find(({ key }) => key === "count");
  return {
    file: fileName(reader, file, { what, written: reader.text(file, `${what}: file`, "a path or sample") }),
    ...(part !== undefined && { part: readPart(reader, part, what) }),
    ...(count !== undefined && {
      count: wholeNumber(reader, count, {
        what: `${what}: count`,
        written: reader.text(count, `${what}: count`, "a whole number"),
      }),
    }),
    at: node.at,
  };
}

interface Written {
  readonly what: string;
  readonly written: string;
}

function fileName(reader: RecipeReader, node: RecipeNode, { what, written }: Written): string {
  // Standard input can be read once, texts of a recipe are read again and again.
  if (written === "-") throw reader.fail(node.at, `${what}: expected a file, got - (standard input)`);
  return written;
}

function wholeNumber(reader: RecipeReader, node: RecipeNode, { what, written }: Written): number {
  const value = Number(written);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw reader.fail(node.at, `${what}: expected a whole number of 1 or more, got ${written}`);
  }
  return value;
}

function readPart(reader: RecipeReader, node: RecipeNode, what: string): TextPart {
  const written = reader.text(node, `${what}: part`, "a part such as 1/3 or 1-2/3");
  const [, first, last = first, of] =
    /^([1-9]\d{0,5})(?:-([1-9]\d{0,5}))?\/([1-9]\d{0,5})$/.exec(written) ?? [];
  const part = { from: Number(first), to: Number(last), of: Number(of) };
  if (!(part.from <= part.to && part.to <= part.of)) {
    throw reader.fail(node.at, `${what}: part: expected a part such as 1/3 or 1-2/3, got ${written}`);
  }
  return part;
}
