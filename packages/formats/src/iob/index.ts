export { FormatError, type FormatErrorCode, type FormatErrorFields } from "../format-error.js";
export {
  findForm,
  findFormOfSentences,
  type FindFormOptions,
  foreignLabels,
  formInScheme,
  type FoundForm,
  typesOf,
} from "./find-form.js";
export {
  hyphenated,
  isHelperLabel,
  type LabelForm,
  type LabelPart,
  labelReader,
  type LabelScheme,
  labelSchemes,
  outside,
  type PositionScheme,
  schemeName,
  writeLabel,
} from "./label-form.js";
export { type LabelledSentence, parseColumns, readColumns, type ReadColumnsOptions } from "./read.js";
export { serializeColumns } from "./serialize.js";
export { convertLabels, type FormOrScheme, labelsOf, makeSpanReader, type Span, spansOf } from "./spans.js";
export { allowedTransitions, type AllowedTransitions } from "./transitions.js";
