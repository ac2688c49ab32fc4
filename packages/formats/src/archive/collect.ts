import { FormatError } from "../format-error.js";

/** What {@link collectBytes} needs to know beside the chunks. */
export interface CollectOptions {
  /** Name of the operation and its subject, for messages. */
  readonly operation: string;
  /** Most bytes to hold. */
  readonly maxBytes: number;
  /** What a user can do about more, for the message. */
  readonly advice?: string | undefined;
  /** See `ReadWholeOptions`. */
  readonly inspect?: ((prefix: Uint8Array) => void) | undefined;
  /** Bytes to expect; a wrong figure only costs a copy. */
  readonly sizeHint?: number | undefined;
}

/** Stops a stream that is longer than allowed, before the excess is held. */
export function checkLimit(total: number, { operation, maxBytes, advice }: CollectOptions): void {
  if (total <= maxBytes) return;
  const what = `output size: expected at most ${maxBytes} bytes, got more${advice === undefined ? "" : `; ${advice}`}`;
  throw new FormatError("limit", `${operation}: ${what}`, { expected: maxBytes });
}

/** A first look comes early, so that little was read of what is something else. */
const firstLook = 1 << 16;

/** Joins chunks into one array, growing it by halves, and refuses more than the limit. */
export async function collectBytes(
  chunks: AsyncIterable<Uint8Array>,
  options: CollectOptions,
): Promise<Uint8Array> {
  let held = new Uint8Array(Math.min(options.sizeHint ?? 65_536, options.maxBytes));
  let length = 0;
  let nextLook = firstLook;
  for await (const chunk of chunks) {
    checkLimit(length + chunk.length, options);
    if (length + chunk.length > held.length) {
      const grown = Math.min(Math.max(length + chunk.length, Math.ceil(held.length * 1.5)), options.maxBytes);
      const larger = new Uint8Array(grown);
      larger.set(held.subarray(0, length));
      held = larger;
    }
    held.set(chunk, length);
    length += chunk.length;
    if (options.inspect === undefined || length < nextLook) continue;
    options.inspect(held.subarray(0, length));
    nextLook = 2 * length;
  }
  return length === held.length ? held : held.subarray(0, length);
}
