// Speed of the decoder that pages read `.br` with, beside Node's own:
// `node packages/formats/bench/brotli.mjs [FILE.br]` after a build. Without a file it packs weights of three kinds,
// seeded; the two take turns, best of seven.
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { unpacked } from "@nasty/formats/archive";

const rounds = 7;

/** Numbers of -0.5 to 0.5 with one peak, as weights have. */
function weights(count, make) {
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Buffer.from(make(count, () => (next() + next()) / 2 - 0.5).buffer);
}

function pack(bytes, quality) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_LGWIN]: 24 };
  return brotliCompressSync(bytes, { params });
}

function generated() {
  const rounded = (value) => Math.round(value * 256) / 256;
  return [
    [
      "int8",
      pack(
        weights(2e7, (length, next) => Int8Array.from({ length }, () => 255 * next())),
        5,
      ),
    ],
    [
      "float32 of 7 bits",
      pack(
        weights(5e6, (length, next) => Float32Array.from({ length }, () => rounded(next()))),
        5,
      ),
    ],
    ["zeros", pack(Buffer.alloc(5e7), 5)],
  ];
}

const [given] = process.argv.slice(2);
process.stdout.write(`${cpus()[0]?.model.trim()}, Node ${process.version}\n`);
for (const [name, bytes] of given === undefined ? generated() : [[given, readFileSync(given)]]) {
  const best = { zlib: Infinity, unpacked: Infinity };
  let size = 0;
  for (let round = 0; round < rounds; round++) {
    let start = performance.now();
    size = brotliDecompressSync(bytes).length;
    best.zlib = Math.min(best.zlib, performance.now() - start);
    start = performance.now();
    const content = await unpacked(bytes, { name: "weights.br", maxBytes: size });
    best.unpacked = Math.min(best.unpacked, performance.now() - start);
    if (content.length !== size) throw new Error(`${name}: expected ${size} bytes, got ${content.length}`);
  }
  process.stdout.write(
    `${name}: ${(bytes.length / 1e6).toFixed(1)} to ${(size / 1e6).toFixed(1)} MB, unpacked ${best.unpacked.toFixed(0)} ms, ` +
      `zlib ${best.zlib.toFixed(0)} ms, ratio ${(best.unpacked / best.zlib).toFixed(2)}\n`,
  );
}
