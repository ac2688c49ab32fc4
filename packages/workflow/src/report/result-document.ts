/** What results have so that the next operation takes them as a model. */
interface ModelOfResult {
  readonly path: string | null;
  readonly bytes: number | null;
  readonly passed: boolean;
}

/** A result as it is printed and recorded: where its model is, its `output` says. */
export function resultDocument<R extends ModelOfResult>({
  path: _path,
  bytes: _bytes,
  passed: _passed,
  ...document
}: R): Omit<R, keyof ModelOfResult> {
  return document;
}
