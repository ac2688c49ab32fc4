export { decodeBrotli } from "./decode.js";
export { type Dictionary, unpackDictionary } from "./dictionary.js";
