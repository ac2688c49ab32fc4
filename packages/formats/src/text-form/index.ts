export { findTextForm, type FoundForm } from "./find-form.js";
export type { TextForm } from "./form-of-name.js";
export { type ColumnContent, type LabelColumn, labelColumnFor } from "./label-column.js";
