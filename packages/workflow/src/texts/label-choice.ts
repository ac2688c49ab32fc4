import type { LabelChoice } from "@nasty/taggers";
import { given } from "../schema/given-settings.js";

/** `--task` and `--scheme` where they were given. */
export function choiceOf({ task, scheme }: LabelChoice): LabelChoice {
  return given({ task, scheme }, "task", "scheme");
}

/** The same for a command that judges by labelled text, which the scheme may be that of. */
export function choiceForText(options: LabelChoice): LabelChoice & { readonly isSchemeOfText: true } {
  return { ...choiceOf(options), isSchemeOfText: true };
}
