// Each URL is written out whole: bundlers find the files of a package by exactly this form and by no other.

/**
 * The default part-of-speech tagger (UPOS), INT8: a two-layer BiLSTM. An ONNX file that carries its features and
 * labels.
 */
export const posInt8: URL = new URL("../models/pos-en-int8.onnx", import.meta.url);

/**
 * A smaller and faster part-of-speech tagger, INT8, gzip-compressed: four convolution layers, a third of a point less
 * accurate.
 */
export const posFastInt8: URL = new URL("../models/pos-en-fast-int8.onnx.gz", import.meta.url);

/**
 * The smallest part-of-speech tagger, INT8, gzip-compressed: three narrow convolution layers, for pages where every
 * hundred kilobytes count.
 */
export const posTinyInt8: URL = new URL("../models/pos-en-tiny-int8.onnx.gz", import.meta.url);

/**
 * The default named-entity tagger (PER, LOC, ORG as IOB2), INT8, gzip-compressed: a two-layer BiLSTM with a label
 * chain.
 */
export const nerInt8: URL = new URL("../models/ner-en-int8.onnx.gz", import.meta.url);

/**
 * The English sample text: 210 sentences of news, chat, reviews, technical and web text with UPOS and entities (`NER=`
 * in MISC), CoNLL-U, CC0. For calibration, demonstrations and quick checks; too small to rank models by.
 */
export const sampleConllu: URL = new URL("../sample/sample-en.conllu", import.meta.url);
