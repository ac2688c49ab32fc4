export { findTextForm, type FoundForm, type TextForm } from "./find-form.js";
export { type ColumnContent, type LabelColumn, labelColumnFor } from "./label-column.js";
