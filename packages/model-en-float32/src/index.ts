// Each URL is written out whole: bundlers find the files of a package by exactly this form and by no other.

/** The float32 model that `posInt8` of `@nasty/model-en` was made from, brotli-compressed: a two-layer BiLSTM. */
export const posFloat32: URL = new URL("../models/pos-en.onnx.br", import.meta.url);

/** The float32 model that `nerInt8` of `@nasty/model-en` was made from, brotli-compressed. */
export const nerFloat32: URL = new URL("../models/ner-en.onnx.br", import.meta.url);
