export { FormatError, type FormatErrorCode, type FormatErrorFields } from "../format-error.js";
export { type LabelledSentence, parseColumns, readColumns, type ReadColumnsOptions } from "./read.js";
export { serializeColumns } from "./serialize.js";
export { convertLabels, labelsOf, type LabelScheme, type Span, spansOf } from "./spans.js";
