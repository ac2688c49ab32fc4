import { type Terminal, toJson } from "../terminal/console.js";

/** A terminal whose results are kept instead of printed; progress and remarks go where they went. */
export interface Capture {
  readonly terminal: Terminal;
  /** The last result, as its JSON has it; null if there was none. */
  result(): unknown;
}

export function captureOn(of: Terminal): Capture {
  let last: unknown = null;
  return {
    terminal: {
      ...of,
      result: (value) => {
        last = JSON.parse(toJson(value)) as unknown;
      },
      write: () => Promise.resolve(),
    },
    result: () => last,
  };
}
