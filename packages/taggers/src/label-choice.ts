import { formInScheme, type LabelScheme, labelSchemes } from "@nasty/formats/iob";
import * as v from "valibot";
import { isLanguageTag } from "./segmentation/languages/find-language.js";
import { type DecidedBy, type LabelChoice, type Labelling, labellingOf, type Task } from "./task.js";

/** What settings of every kind say about their labels and the words that get them. */
export interface LabelSettings {
  readonly task: Task;
  /** Labels by the index of the model's output. */
  readonly labels: readonly string[];
  /** Scheme of entity labels; seen from them where it is not given. */
  readonly scheme?: LabelScheme | undefined;
  /** Who said task and scheme: the model file unless given. Not kept in the file. */
  readonly decidedBy?: DecidedBy | undefined;
  /** BCP 47 tag of the language that the model is for, by which raw text is cut into words; English unless given. */
  readonly language?: string | undefined;
}

/** What metadata of every kind say about labels and language. */
export const labelEntries = {
  task: v.picklist(["pos", "ner"]),
  labels: v.pipe(v.array(v.string()), v.minLength(1)),
  scheme: v.optional(v.picklist(labelSchemes)),
  language: v.optional(v.pipe(v.string(), v.check(isLanguageTag, "a BCP 47 tag such as da"))),
};

/** Task and scheme of a model whose labels alone are known. */
export function seenFromLabels(labels: readonly string[]): Omit<LabelSettings, "labels"> {
  const { task, scheme } = labellingOf(labels);
  return { task, decidedBy: "labels", ...(scheme === null ? {} : { scheme }) };
}

/** What settings take their labels for. */
export function labellingOfSettings({ labels, task, scheme, decidedBy = "model" }: LabelSettings): Labelling {
  if (decidedBy === "labels") return labellingOf(labels);
  return labellingOf(labels, { task, scheme }, decidedBy);
}

/** The language of settings, where they say one. */
export const languageOf = ({ language }: Pick<LabelSettings, "language">): { readonly language?: string } =>
  language === undefined ? {} : { language };

/**
 * Settings as a user wants them understood; they are kept so when they are written.
 *
 * @param options `isTextToo`: whether the scheme may be that of a text beside the model instead: then one that is not
 *   the model's changes nothing; `where`: what has the labels, for messages
 * @throws TaggerError `labels`, `option` as {@link labellingOf}
 */
export function withChoice<Settings extends LabelSettings>(
  settings: Settings,
  { task, scheme }: LabelChoice,
  { isTextToo = false, where }: { readonly isTextToo?: boolean | undefined; readonly where?: string } = {},
): Settings {
  const isOther = isTextToo && scheme !== undefined && formInScheme(settings.labels, scheme) === undefined;
  const choice = { task, scheme: isOther ? undefined : scheme };
  if (choice.task === undefined && choice.scheme === undefined) return settings;
  const { scheme: _before, ...rest } = settings;
  const found = labellingOf(settings.labels, choice, "choice", where);
  const kept = choice.scheme ?? found.scheme;
  return {
    ...rest,
    task: found.task,
    decidedBy: "choice",
    ...(kept === null ? {} : { scheme: kept }),
  } as Settings;
}
