/** The error that a call throws; a call that returns fails the test. */
export function caught(call: () => unknown): unknown {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    return error;
  }
  throw new Error(`expected an error, got ${String(result)}`);
}
