export { type Feeder, makeFeeder } from "./feeds.js";
export { subwordBatches, type SubwordRow, subwordRows } from "./rows.js";
export { makeTextEncoder, type TextEncoder, type TextRow } from "./text-encoder.js";
export { makeTransformerTagger } from "./transformer-tagger.js";
export { parseTokenizerJson, type TokenizerJson } from "./tokenizer-json.js";
export { makeWordEncoder, type WordEncoder } from "./word-encoder.js";
