export { type BatchLimits, batchesOf } from "./batches.js";
export { type Feeder, makeFeeder } from "./feeds.js";
export { type Row, rowsOf } from "./rows.js";
export { parseTokenizerJson, type TokenizerJson } from "./tokenizer-json.js";
export { makeWordEncoder, type WordEncoder } from "./word-encoder.js";
