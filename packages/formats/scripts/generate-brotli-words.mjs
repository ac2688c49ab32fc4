// Writes src/archive/brotli/gen/words.ts, the static dictionary of brotli, packed:
// `node scripts/generate-brotli-words.mjs` in packages/formats. Node's own decoder has the dictionary: a file of one
// word is made for each, and decoded.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync, crc32, gzipSync } from "node:zlib";

/** RFC 7932, appendix A. */
const checksum = 0x5136cb04;
const exponents = [0, 0, 0, 0, 10, 10, 11, 11, 10, 10, 10, 10, 10, 9, 9, 8, 7, 7, 8, 7, 7, 6, 6, 5, 5];

/** First length, and bits beside, of the codes of lengths to copy that words need. */
const copyCodes = [
  [4, 0],
  [5, 0],
  [6, 0],
  [7, 0],
  [8, 0],
  [9, 0],
  [10, 1],
  [12, 1],
  [14, 2],
  [18, 2],
  [22, 3],
];

/** Packs [value, bits] from the least significant bit. */
function packBits(fields) {
  const bits = fields.flatMap(([value, count]) =>
    Array.from({ length: count }, (_, at) => (value >> at) & 1),
  );
  return Uint8Array.from({ length: Math.ceil(bits.length / 8) }, (_, at) =>
    bits.slice(8 * at, 8 * at + 8).reduce((byte, bit, place) => byte | (bit << place), 0),
  );
}

/** A file whose only command copies a word: nothing inserted, a distance behind the beginning. */
function fileOfWord(length, index) {
  const code = copyCodes.findLastIndex(([first]) => first <= length);
  const [first, bits] = copyCodes[code];
  const command = code + 2 < 8 ? 128 + code + 2 : 192 + code + 2 - 8;
  // Distance d has the code 16 + 2 (n - 1) + h and n bits: d + 3 = (2 + h) 2^n + those bits.
  const distance = index + 1 + 3;
  const n = 30 - Math.clz32(distance);
  const distanceCode = 16 + 2 * (n - 1) + ((distance >> n) & 1);
  const only = (symbol, symbolBits) => [
    [1, 2],
    [0, 2],
    [symbol, symbolBits],
  ];
  return packBits([
    [0, 1],
    [1, 1],
    [0, 1],
    [0, 2],
    [length - 1, 16],
    // One type of block each, no postfix, contexts 0, one code each.
    [0, 3],
    [0, 6],
    [0, 2],
    [0, 2],
    ...only(0, 8),
    ...only(command, 10),
    ...only(distanceCode, 6),
    [length - first, bits],
    [distance & ((1 << n) - 1), n],
  ]);
}

const words = exponents.flatMap((exponent, length) =>
  exponent === 0
    ? []
    : Array.from({ length: 1 << exponent }, (_, index) => brotliDecompressSync(fileOfWord(length, index))),
);
const dictionary = Buffer.concat(words);
if (crc32(dictionary) !== checksum)
  throw new Error(`dictionary: checksum: expected ${checksum}, got ${crc32(dictionary)}`);

const folder = fileURLToPath(new URL("../src/archive/brotli/gen", import.meta.url));
mkdirSync(folder, { recursive: true });
const text = gzipSync(dictionary, { level: 9 }).toString("base64");
writeFileSync(
  `${folder}/words.ts`,
  `/** The static dictionary of RFC 7932, gzip, base64; written by scripts/generate-brotli-words.mjs. */\nexport const packedWords =\n  "${text}";\n`,
);
