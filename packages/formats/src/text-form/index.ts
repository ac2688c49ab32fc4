export { findTextForm, type FoundForm } from "./find-form.js";
export { formOfName, type TextForm } from "./form-of-name.js";
export { type ColumnContent, type LabelColumn, labelColumnFor } from "./label-column.js";
