import type { TextForm } from "@nasty/formats/text-form";
import { InvalidArgumentError, Option } from "commander";

const forms: readonly string[] = ["conllu", "columns", "plain"] satisfies readonly TextForm[];

/** What a text is said to be: every text of the command, or the one of that name. */
interface SaidForm {
  readonly path: string | undefined;
  readonly form: TextForm;
}

let said: readonly SaidForm[] = [];

/** `--input-format`, for every command that reads text. */
export function inputFormatOption(): Option {
  return new Option(
    "--input-format <[file=]form>",
    "what a text is: conllu, columns or plain; for one file or for all (repeatable; default: seen from its content)",
  )
    .default([], "none")
    .argParser((value: string, previous: readonly string[] | undefined) => {
      parseForm(value);
      return [...(previous ?? []), value];
    });
}

/** Takes down what the options of a command say; what another command said is forgotten. */
export function useInputFormats(values: readonly string[] | undefined): void {
  said = (values ?? []).map(parseForm);
}

/** What {@link useInputFormats} took down, for those who set it for a while. */
export function saidFormats(): readonly string[] {
  return said.map(({ path, form }) => (path === undefined ? form : `${path}=${form}`));
}

/** What the person said that a text is; what is said of the file itself goes before what is said of all. */
export function saidForm(path: string): TextForm | undefined {
  return (
    said.findLast((one) => one.path === path)?.form ?? said.findLast((one) => one.path === undefined)?.form
  );
}

function parseForm(value: string): SaidForm {
  const equals = value.lastIndexOf("=");
  const form = value.slice(equals + 1);
  if (!forms.includes(form)) throw new InvalidArgumentError(`Expected one of ${forms.join(", ")}.`);
  return { path: equals < 0 ? undefined : value.slice(0, equals), form: form as TextForm };
}
