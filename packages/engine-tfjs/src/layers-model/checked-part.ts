import * as v from "valibot";
import { TfjsError, type TfjsErrorCode } from "../tfjs-error.js";

/** Checks a part of `model.json`, with errors that name its place. */
export function checkedPart<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  { code, where }: { readonly code: TfjsErrorCode; readonly where: string },
): v.InferOutput<Schema> {
  const checked = v.safeParse(schema, value);
  if (checked.success) return checked.output;
  const [issue] = checked.issues;
  const key = v.getDotPath(issue);
  const absent = issue.received === "undefined";
  const expected = absent ? "a value" : (issue.expected ?? issue.message);
  throw new TfjsError(
    code,
    `importLayersModel: model.json: ${key === null ? where : `${where}.${key}`}: expected ${expected}, got ${absent ? "nothing" : issue.received}`,
  );
}
