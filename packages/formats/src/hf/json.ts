import * as v from "valibot";
import { FormatError } from "../format-error.js";
import { parseJson } from "../json/parse-json.js";

/** Parses JSON of a named file and checks it, with errors that name file and key. */
export function checkedJson<Schema extends v.GenericSchema>(
  operation: string,
  file: string,
  json: string,
  schema: Schema,
): v.InferOutput<Schema> {
  let value: unknown;
  try {
    value = parseJson(json);
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    const reason = cause.message.replace(/^\w+: /, "");
    throw new FormatError(cause.code, `${operation}: ${file}: ${reason}`, { path: file, cause });
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
