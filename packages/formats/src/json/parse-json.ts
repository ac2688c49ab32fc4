import { FormatError } from "../format-error.js";
import { raiseLimit, structureLimit } from "../limits.js";

/** Deepest nesting of lists and objects; files of models stay below twenty, and what walks them recurses. */
const maxDepth = 500;

/** Memory of a list or object with the place that it takes; of a key is more, as large objects are hash tables. */
const memoryOfValue = 40;
const memoryOfKey = 80;

/** What {@link parseJson} may take. */
export interface ParseJsonOptions {
  /** Most bytes of memory for values, beside their text: 128 MB and the length of the text unless told otherwise. */
  readonly maxStructureBytes?: number;
}

/**
 * JSON of a file from outside, with bounds: text such as `[[],[],…` takes twenty times its length when parsed, and text
 * that was packed arrives a thousand times larger than its file.
 *
 * A byte order mark at the start is left out.
 *
 * @param text the JSON
 * @returns the value, as JSON.parse gives it
 * @throws FormatError `json` (not JSON), `limit` (nested more than 500 deep, or more values than memory is allowed for)
 * @see RFC 8259
 * @example
 * ```ts
 * parseJson('{"labels": ["NOUN"]}');
 * ```
 */
export function parseJson(text: string, options: ParseJsonOptions = {}): unknown {
  const json = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  checkStructure(json, options.maxStructureBytes ?? structureLimit(json.length));
  try {
    return JSON.parse(json);
  } catch (cause) {
    const got = json.trim() === "" ? "an empty file" : (cause as Error).message;
    throw new FormatError("json", `parseJson: content: expected JSON, got ${got}`, { cause });
  }
}

/** Counts without making anything; text that is no JSON is left to the parser. */
function checkStructure(json: string, maxBytes: number): void {
  let depth = 0;
  let memory = 0;
  for (let at = 0; at < json.length; at++) {
    switch (json.charCodeAt(at)) {
      case 0x22: // "
        at = endOfString(json, at);
        continue;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > maxDepth) throw tooMuch(at, "nesting", `at most ${maxDepth} levels`);
        memory += memoryOfValue;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        continue;
      case 0x2c: // ,
        memory += memoryOfValue;
        break;
      case 0x3a: // :
        memory += memoryOfKey;
        break;
      default:
        continue;
    }
    if (memory > maxBytes) {
      throw tooMuch(
        at,
        "decoded size",
        `values of at most ${Math.round(maxBytes / 1e6)} MB`,
        `; ${raiseLimit}`,
      );
    }
  }
}

/** Position of the quote that ends a string. */
function endOfString(json: string, start: number): number {
  for (let at = start + 1; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === 0x22) return at;
    if (code === 0x5c) at++;
  }
  return json.length;
}

function tooMuch(at: number, what: string, expected: string, advice = ""): FormatError {
  return new FormatError(
    "limit",
    `parseJson: character ${at + 1}: ${what}: expected ${expected}, got more${advice}`,
    { column: at + 1 },
  );
}
