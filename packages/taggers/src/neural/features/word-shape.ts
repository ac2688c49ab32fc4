/** A run of one class says little more after its second character. */
const LONGEST_RUN = 2;
const LONGEST_SHAPE = 10;

/**
 * The class of a word by its outline: capitals `X`, other letters `x`, digits `d`, everything else itself; runs are cut
 * after two and the whole after ten characters.
 *
 * @example
 * ```ts
 * wordShape("McDonald's"); // "XxXxx'x"
 * wordShape("1,200"); // "d,dd"
 * ```
 */
export function wordShape(word: string): string {
  let shape = "";
  let last = "";
  let run = 0;
  for (let i = 0; i < word.length && shape.length < LONGEST_SHAPE; i++) {
    const outline = outlineOf(word, i);
    run = outline === last ? run + 1 : 1;
    last = outline;
    if (run <= LONGEST_RUN) shape += outline;
  }
  return shape;
}

function outlineOf(word: string, at: number): string {
  const code = word.charCodeAt(at);
  if (code >= 97 && code <= 122) return "x";
  if (code >= 65 && code <= 90) return "X";
  if (code >= 48 && code <= 57) return "d";
  const character = word[at] as string;
  if (code < 128) return character;
  const lower = character.toLowerCase();
  if (lower === character.toUpperCase()) return character;
  return lower === character ? "x" : "X";
}
