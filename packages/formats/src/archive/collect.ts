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

/** Bytes that come piece by piece, in one array that grows by halves up to the limit. */
export interface Collector {
  /** What came so far, and room behind it; another array after `reserve`. */
  held: Uint8Array<ArrayBuffer>;
  /** Bytes that `held` may be filled to before `reserve` must be called. */
  room: number;
  /** Refuses what will be longer than allowed. */
  expect(length: number): void;
  /** Makes room for `count` bytes behind `length`, unless that is more than allowed; looks at what is there. */
  reserve(length: number, count: number): void;
  /** The first `length` bytes. */
  content(length: number): Uint8Array<ArrayBuffer>;
}

export function makeCollector(options: CollectOptions): Collector {
  const { inspect, maxBytes, sizeHint = 65_536 } = options;
  let nextLook = inspect === undefined ? Number.POSITIVE_INFINITY : firstLook;
  const held = new Uint8Array(Math.min(sizeHint, maxBytes));
  return {
    held,
    room: Math.min(held.length, nextLook),
    expect: (length) => checkLimit(length, options),
    reserve(length, count) {
      checkLimit(length + count, options);
      if (length >= nextLook) {
        inspect?.(this.held.subarray(0, length));
        nextLook = 2 * length;
      }
      if (length + count > this.held.length) {
        const larger = new Uint8Array(
          Math.min(Math.max(length + count, Math.ceil(this.held.length * 1.5)), maxBytes),
        );
        larger.set(this.held.subarray(0, length));
        this.held = larger;
      }
      this.room = Math.min(this.held.length, Math.max(length + count, nextLook));
    },
    content(length) {
      return length === this.held.length ? this.held : this.held.subarray(0, length);
    },
  };
}

/** Joins chunks into one array, and refuses more than the limit. */
export async function collectBytes(
  chunks: AsyncIterable<Uint8Array>,
  options: CollectOptions,
): Promise<Uint8Array> {
  const collector = makeCollector(options);
  let length = 0;
  for await (const chunk of chunks) {
    collector.reserve(length, chunk.length);
    collector.held.set(chunk, length);
    length += chunk.length;
    collector.reserve(length, 0);
  }
  return collector.content(length);
}
