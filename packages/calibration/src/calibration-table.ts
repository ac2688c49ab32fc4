import { CalibrationError } from "./calibration-error.js";
import { type CalibrationMethod, calibrationMethods } from "./method.js";

/** What was learnt of one tensor. */
export interface TensorRange {
  /** The chosen range, in the tensor's own unit; `min ≤ max`, zero not necessarily inside. */
  readonly min: number;
  readonly max: number;
  /** Smallest and largest value seen; equal to `min` and `max` for min-max. */
  readonly seenMin: number;
  readonly seenMax: number;
  /** Values that counted. */
  readonly count: number;
  /** Values that were left out as masked scores (padding is not among them). */
  readonly masked: number;
}

/** Ranges of activations: plain data that JSON carries. */
export interface CalibrationTable {
  readonly schemaVersion: 1;
  readonly method: CalibrationMethod;
  /** The method's numbers, for the record: percentile, averagingConstant, bins. */
  readonly parameters: Readonly<Record<string, number>>;
  readonly samples: number;
  readonly tensors: Readonly<Record<string, TensorRange>>;
}

/**
 * The table as a JSON document that ends with a newline; equal tables give equal bytes.
 *
 * @example
 * ```ts
 * await writeFile("ranges.json", serializeCalibrationTable(table));
 * ```
 */
export const serializeCalibrationTable = (table: CalibrationTable): string => {
  const names = Object.keys(table.tensors).sort();
  const tensors = Object.fromEntries(names.map((name) => [name, table.tensors[name]]));
  return `${JSON.stringify({ ...table, tensors }, null, 2)}\n`;
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const describe = (value: unknown): string =>
  value === undefined ? "nothing" : (JSON.stringify(value)?.slice(0, 60) ?? typeof value);

const fail = (where: string, expected: string, got: unknown): never => {
  throw new CalibrationError(
    "not-a-table",
    `parseCalibrationTable: ${where}: expected ${expected}, got ${describe(got)}`,
  );
};

const numberAt = (where: string, value: unknown): number =>
  typeof value === "number" && Number.isFinite(value) ? value : fail(where, "a finite number", value);

const countAt = (where: string, value: unknown): number =>
  Number.isSafeInteger(value) && (value as number) >= 0
    ? (value as number)
    : fail(where, "a count of at least 0", value);

const rangeAt = (name: string, value: unknown): TensorRange => {
  const where = `tensor ${name}`;
  if (!isRecord(value)) return fail(where, "an object", value);
  const range: TensorRange = {
    min: numberAt(`${where}: min`, value.min),
    max: numberAt(`${where}: max`, value.max),
    seenMin: numberAt(`${where}: seenMin`, value.seenMin),
    seenMax: numberAt(`${where}: seenMax`, value.seenMax),
    count: countAt(`${where}: count`, value.count),
    masked: countAt(`${where}: masked`, value.masked),
  };
  if (range.min > range.max) fail(`${where}: min`, `at most max ${range.max}`, range.min);
  if (range.seenMin > range.seenMax)
    fail(`${where}: seenMin`, `at most seenMax ${range.seenMax}`, range.seenMin);
  return range;
};

/**
 * Reads a table that `serializeCalibrationTable` wrote.
 *
 * @throws CalibrationError `not-a-table` naming the field; `unsupported-version` for a table of a later version.
 */
export const parseCalibrationTable = (text: string): CalibrationTable => {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new CalibrationError(
      "not-a-table",
      `parseCalibrationTable: document: expected JSON, got: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
  if (!isRecord(document)) return fail("document", "an object", document);
  if (document.schemaVersion !== 1) {
    throw new CalibrationError(
      "unsupported-version",
      `parseCalibrationTable: schemaVersion: expected 1, got ${describe(document.schemaVersion)}`,
    );
  }
  const method = calibrationMethods.find((known) => known === document.method);
  if (method === undefined) return fail("method", `one of ${calibrationMethods.join(", ")}`, document.method);
  if (!isRecord(document.parameters)) return fail("parameters", "an object", document.parameters);
  if (!isRecord(document.tensors)) return fail("tensors", "an object", document.tensors);
  return {
    schemaVersion: 1,
    method,
    parameters: Object.fromEntries(
      Object.entries(document.parameters).map(([name, value]) => [
        name,
        numberAt(`parameters: ${name}`, value),
      ]),
    ),
    samples: countAt("samples", document.samples),
    tensors: Object.fromEntries(
      Object.entries(document.tensors).map(([name, value]) => [name, rangeAt(name, value)]),
    ),
  };
};
