const STOPPED = /[.!?…:;。！？]["'”’)\]]*\s*$/u;

/** How often the lines of a text that others follow end a sentence. */
export interface LineEnds {
  /** Looks at a piece of the text. */
  count(piece: string): void;
  /** What to say where most lines end without a stop, and so were joined with the next; undefined otherwise. */
  hint(name: string): string | undefined;
}

/** Fewer lines than this say nothing. */
const fewest = 2;

/** Counts the lines of a text that stand directly before another one. */
export function makeLineEnds(): LineEnds {
  let lines = 0;
  let stopped = 0;
  return {
    count(piece) {
      let previous: string | undefined;
      for (const line of piece.split(/\r\n|\r|\n/u)) {
        const isEmpty = line.trim() === "";
        if (previous !== undefined && !isEmpty) {
          lines++;
          // The end alone decides.
          if (STOPPED.test(previous.slice(-20))) stopped++;
        }
        previous = isEmpty ? undefined : line;
      }
    },
    hint(name) {
      if (lines < fewest || stopped * 2 >= lines) return undefined;
      return `most lines of ${name} end without a stop and were read on into the next; if each line is a sentence, give --one-per-line`;
    },
  };
}
