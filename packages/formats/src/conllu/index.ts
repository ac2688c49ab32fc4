export { FormatError, type FormatErrorCode, type FormatErrorFields } from "../format-error.js";
export { depsOf, type EnhancedDependency, featsOf, miscOf } from "./attributes.js";
export type { Problem, ProblemCode } from "./problem.js";
export { parseConllu, readConllu, type ReadConlluOptions } from "./read.js";
export {
  columnOf,
  type Columns,
  commentValue,
  type EmptyNode,
  idOf,
  lineOf,
  type MultiwordToken,
  type Row,
  type Sentence,
  type Word,
  words,
} from "./sentence.js";
export { serializeConllu, serializeSentence } from "./serialize.js";
export { validateConllu, type ValidateConlluOptions } from "./validate.js";
