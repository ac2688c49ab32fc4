import * as v from "valibot";
import { FormatError } from "../format-error.js";

/** Parses JSON of a named file and checks it, with errors that name file and key. */
export function checkedJson<Schema extends v.GenericSchema>(
  operation: string,
  file: string,
  json: string,
  schema: Schema,
): v.InferOutput<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(json.charCodeAt(0) === 0xfeff ? json.slice(1) : json);
  } catch (cause) {
    const got = json.trim() === "" ? "an empty file" : (cause as Error).message;
    throw new FormatError("json", `${operation}: ${file}: content: expected JSON, got ${got}`, {
      path: file,
      cause,
    });
  }
  if (Array.isArray(value)) {
    throw new FormatError("schema", `${operation}: ${file}: whole file: expected Object, got Array`, {
      path: file,
      name: "whole file",
    });
  }
  const checked = v.safeParse(schema, value);
  if (checked.success) return checked.output;
  const [issue] = checked.issues;
  const key = v.getDotPath(issue) ?? "whole file";
  const absent = issue.received === "undefined";
  const expected = absent ? "a value" : (issue.expected ?? issue.message);
  throw new FormatError(
    "schema",
    `${operation}: ${file}: ${key}: expected ${expected}, got ${absent ? "nothing" : issue.received}`,
    { path: file, name: key },
  );
}
