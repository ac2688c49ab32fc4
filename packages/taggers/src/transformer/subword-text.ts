import type { TokenizerJson } from "./tokenizer-json.js";

/** The characters that some subwords together stand for, in order. */
export interface SubwordText {
  /** Characters as the tokenizer normalized them; undefined for what it does not know. */
  readonly characters: readonly (string | undefined)[];
  /**
   * First character of each subword and the one behind its last, [2 × subwords]; the bytes of one character may be in
   * several subwords.
   */
  readonly ranges: Int32Array;
}

/**
 * Reads what subwords stand for: without the marks of pieces inside of a word (`##`), at its end (`</w>`) and of blanks
 * (`▁`, `Ġ`), and bytes put together to characters.
 *
 * @param subwords undefined for one that the tokenizer does not know
 */
export type SubwordTextReader = (subwords: readonly (string | undefined)[]) => SubwordText;

/** A {@link SubwordTextReader} for the subwords of a tokenizer. */
export function makeSubwordTextReader({ model, ...parts }: TokenizerJson): SubwordTextReader {
  const bytes = hasByteLevel(parts.pre_tokenizer) || hasByteLevel(parts.decoder) ? byteLevelBytes : textBytes;
  const prefix = model.type === "WordPiece" ? (model.continuing_subword_prefix ?? "##") : "";
  const suffixes = [model["end_of_word_suffix"], model["continuing_subword_suffix"]].filter(
    (suffix): suffix is string => typeof suffix === "string" && suffix !== "",
  );
  const bytesOf = (subword: string): readonly number[] => {
    const byte = model["byte_fallback"] === true ? /^<0x([0-9A-F]{2})>$/u.exec(subword) : null;
    if (byte !== null) return [Number.parseInt(byte[1] as string, 16)];
    let text = subword;
    if (prefix !== "" && text.startsWith(prefix)) text = text.slice(prefix.length);
    for (const suffix of suffixes) if (text.endsWith(suffix)) text = text.slice(0, -suffix.length);
    return bytes(text);
  };
  return (subwords) => {
    const characters: (string | undefined)[] = [];
    const ranges = new Int32Array(2 * subwords.length);
    // Bytes of the last character, and how many are still to come.
    let begun: number[] = [];
    let missing = 0;
    const isUnknown = (): boolean => characters.length > 0 && characters.at(-1) === undefined;
    const take = (byte: number): void => {
      const goesOn = byte >> 6 === 0b10;
      // The bytes before it are unknown: so is the character.
      if (goesOn && isUnknown()) return;
      if (goesOn && missing > 0) missing -= 1;
      else {
        begun = [];
        missing = bytesBehind(byte);
        characters.push("");
      }
      begun.push(byte);
      characters[characters.length - 1] = decoder.decode(Uint8Array.from(begun));
    };
    subwords.forEach((subword, i) => {
      const own = subword === undefined ? [] : bytesOf(subword);
      const joins = missing > 0 || (isUnknown() && own[0] !== undefined && own[0] >> 6 === 0b10);
      ranges[2 * i] = joins ? characters.length - 1 : characters.length;
      for (const byte of own) take(byte);
      if (subword === undefined && missing > 0) characters[characters.length - 1] = undefined;
      else if (subword === undefined) characters.push(undefined);
      if (subword === undefined) missing = 0;
      ranges[2 * i + 1] = characters.length;
    });
    return { characters, ranges };
  };
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();
const textBytes = (text: string): readonly number[] => [...encoder.encode(text)];

/** How many bytes follow the first of a character in UTF-8. */
const bytesBehind = (first: number): number =>
  first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;

/**
 * Byte-level tokenizers write each byte as a printable character: itself where it is one in Latin-1, else the next from
 * U+0100 on.
 *
 * Source: A. Radford et al. (2019), the byte encoder of GPT-2.
 */
const byteOfCharacter: ReadonlyMap<string, number> = (() => {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  const bytes = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++)
    bytes.set(String.fromCodePoint(isPrintable(byte) ? byte : next++), byte);
  return bytes;
})();

/** Characters that stand for no byte are of added tokens, and are what they are. */
const byteLevelBytes = (text: string): readonly number[] =>
  [...text].flatMap((character) => byteOfCharacter.get(character) ?? textBytes(character));

/** Whether a part of a tokenizer, or one inside its sequence, works on bytes. */
function hasByteLevel(part: unknown): boolean {
  if (typeof part !== "object" || part === null) return false;
  const { type, pretokenizers, decoders } = part as {
    readonly type?: unknown;
    readonly pretokenizers?: unknown;
    readonly decoders?: unknown;
  };
  const inner = [pretokenizers, decoders].flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []));
  return type === "ByteLevel" || inner.some(hasByteLevel);
}
