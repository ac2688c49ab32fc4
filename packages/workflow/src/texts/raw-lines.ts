/** The lines of a text as they are, kept until they are taken, while a reader reads the same text. */
export interface RawLines {
  /** The text for the reader. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** All lines up to and including this one (from 1) that were not taken yet, with their line ends. */
  take(last: number): { readonly first: number; readonly lines: readonly string[] };
  /** What was not taken when the reader is at the end. */
  rest(): string;
}

/**
 * Keeps the lines of a text beside its reader. What is held is what the reader holds: lines are taken as sentences are
 * complete, and a reader refuses lines and sentences without end.
 */
export function rawLines(source: AsyncIterable<Uint8Array>): RawLines {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const lines: string[] = [];
  let first = 1;
  let pending: string[] = [];
  const keep = (text: string): void => {
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      lines.push(pending.join("") + text.slice(start, end + 1));
      pending = [];
      start = end + 1;
    }
    if (start < text.length) pending.push(text.slice(start));
  };
  return {
    chunks: {
      async *[Symbol.asyncIterator]() {
        for await (const chunk of source) {
          keep(decoder.decode(chunk, { stream: true }));
          yield chunk;
        }
        keep(decoder.decode());
        if (pending.length > 0) lines.push(pending.join(""));
        pending = [];
      },
    },
    take(last) {
      const taken = lines.splice(0, last - first + 1);
      const start = first;
      first += taken.length;
      return { first: start, lines: taken };
    },
    rest: () => lines.splice(0).join(""),
  };
}
