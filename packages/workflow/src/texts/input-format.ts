import type { TextForm } from "@nasty/formats/text-form";
import { UsageError } from "../errors.js";

export const textForms = ["conllu", "columns", "plain"] as const satisfies readonly TextForm[];

/** `CoNLL-U`, `columns of words and labels`, `plain text`. */
export function formName(form: TextForm): string {
  switch (form) {
    case "conllu":
      return "CoNLL-U";
    case "columns":
      return "columns of words and labels";
    case "plain":
      return "plain text";
    default:
      return form satisfies never;
  }
}

/** What a text is said to be: every text of the operation, or the one of that name. */
export interface SaidForm {
  readonly path: string | undefined;
  readonly form: TextForm;
}

/**
 * `conllu`, or `FILE=conllu` for one file.
 *
 * @throws UsageError for a form that is none
 */
export function parseSaidForm(value: string): SaidForm {
  const equals = value.lastIndexOf("=");
  const form = textForms.find((one) => one === value.slice(equals + 1));
  if (form === undefined) {
    throw new UsageError(`--input-format ${value}: expected one of ${textForms.join(", ")}`);
  }
  return { path: equals < 0 ? undefined : value.slice(0, equals), form };
}
