import { type LabelSettings, labellingOfSettings, languageOf } from "../label-choice.js";
import { labellingOf } from "../task.js";
import { classOf } from "./families.js";

type Json = Readonly<Record<string, unknown>>;

/** Key of `config.json` for what its labels do not say themselves; other programs pass over it. */
export const labelsKey = "nasty";

/**
 * `config.json` of a token classifier with these labels, and with task and scheme where the labels alone would be taken
 * for others, and its language where it has one.
 *
 * @param preferred the file that transformers.js shall take, where it would look for one that is not there
 */
export function labelledConfig(config: Json, settings: LabelSettings, preferred?: string): Json {
  const { labels } = settings;
  const { "transformers.js_config": forBrowser, num_labels: _count, [labelsKey]: _before, ...rest } = config;
  const architecture = classOf(String(config["model_type"]), "ForTokenClassification");
  const { dtype: _dtype, ...kept } = (forBrowser ?? {}) as Record<string, unknown>;
  const wanted = preferred === undefined ? kept : { ...kept, dtype: preferred };
  return {
    ...rest,
    ...(architecture === undefined ? {} : { architectures: [architecture] }),
    ...(Object.keys(wanted).length === 0 ? {} : { "transformers.js_config": wanted }),
    ...unseen(settings),
    id2label: Object.fromEntries(labels.map((label, index) => [String(index), label])),
    label2id: Object.fromEntries(labels.map((label, index) => [label, index])),
  };
}

function unseen(settings: LabelSettings): Json {
  const { scheme, language } = settings;
  const seen = labellingOf(settings.labels);
  const { task, form } = labellingOfSettings(settings);
  const isSeen = seen.task === task && JSON.stringify(seen.form) === JSON.stringify(form);
  if (isSeen && language === undefined) return {};
  return { [labelsKey]: { task, ...(scheme === undefined ? {} : { scheme }), ...languageOf(settings) } };
}
