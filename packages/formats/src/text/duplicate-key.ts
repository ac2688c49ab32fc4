/**
 * The first key that stands twice in one object of a JSON text, or undefined.
 *
 * @param json text that JSON.parse accepts
 */
export function duplicateKey(json: string): string | undefined {
  // One set per open object; an open array has none.
  const open: (Set<string> | undefined)[] = [];
  let expectsKey = false;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === "{") {
      open.push(new Set());
      expectsKey = true;
    } else if (character === "[") {
      open.push(undefined);
      expectsKey = false;
    } else if (character === "}" || character === "]") {
      open.pop();
      expectsKey = false;
    } else if (character === ",") {
      expectsKey = open.at(-1) !== undefined;
    } else if (character === '"') {
      const end = endOfString(json, at);
      const keys = open.at(-1);
      if (expectsKey && keys !== undefined) {
        // Decoded: "a" and "\u0061" are the same key.
        const key = JSON.parse(json.slice(at, end)) as string;
        if (keys.has(key)) return key;
        keys.add(key);
      }
      expectsKey = false;
      at = end - 1;
    }
  }
  return undefined;
}

function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
  return at + 1;
}
