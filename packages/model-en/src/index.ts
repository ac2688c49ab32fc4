/**
 * The English sample text: 210 sentences of news, chat, reviews, technical and web text with UPOS and entities (`NER=` in
 * MISC), CoNLL-U, CC0. For calibration, demonstrations and quick checks; too small to rank models by.
 */
export const sampleConllu: URL = new URL("../sample/sample-en.conllu", import.meta.url);
