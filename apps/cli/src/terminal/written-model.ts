/** What results of programs have so that the next operation takes them as a model. */
interface WrittenModel {
  readonly path: string;
  readonly bytes: number;
  readonly passed: boolean;
}

/** A result as it is printed: where its model is, is said once. */
export function withoutModel<R extends WrittenModel>({
  path: _path,
  bytes: _bytes,
  passed: _passed,
  ...document
}: R): Omit<R, keyof WrittenModel> {
  return document;
}
