import type { LabelChoice } from "@nasty/taggers";

/** `--task` and `--scheme` where they were given. */
export function choiceOf({ task, scheme }: LabelChoice): LabelChoice {
  return {
    ...(task === undefined ? {} : { task }),
    ...(scheme === undefined ? {} : { scheme }),
  };
}

/** The same for a command that judges by labelled text, which the scheme may be that of. */
export function choiceForText(options: LabelChoice): LabelChoice & { readonly isSchemeOfText: true } {
  return { ...choiceOf(options), isSchemeOfText: true };
}
