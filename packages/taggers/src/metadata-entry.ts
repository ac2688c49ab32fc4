import { parseJson } from "@nasty/formats/json";
import * as v from "valibot";

/** Makes the error of an entry: where in it, what was expected, what is there. */
type Refuse = (where: string, expected: string, got: string, cause?: unknown) => Error;

/**
 * The content of a metadata entry of a model.
 *
 * @param text JSON
 * @throws what `refuse` makes, for text that is no JSON, and JSON that the schema refuses
 */
export function parseEntry<Schema extends v.GenericSchema>(
  text: string,
  schema: Schema,
  key: string,
  refuse: Refuse,
): v.InferOutput<Schema> {
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (cause) {
    throw refuse(key, "JSON", (cause as Error).message, cause);
  }
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw refuse(
    `${key}: ${v.getDotPath(issue) ?? "content"}`,
    issue.expected ?? issue.message,
    issue.received,
  );
}
