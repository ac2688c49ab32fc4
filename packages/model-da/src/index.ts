/**
 * The Danish named-entity tagger (PER, LOC, ORG as IOB2), INT8, gzip-compressed: a two-layer BiLSTM with a label chain.
 * An ONNX file that carries its features, labels and language.
 */
// The URL is written out whole: bundlers find the files of a package by exactly this form and by no other.
export const nerInt8: URL = new URL("../models/ner-da-int8.onnx.gz", import.meta.url);
