import { classOf } from "./families.js";

type Json = Readonly<Record<string, unknown>>;

/**
 * `config.json` of a model of whole texts.
 *
 * @param labels of a classifier, in the order of its scores; without them it is that of an encoder
 * @param preferred the file that transformers.js shall take, where it would look for one that is not there
 */
export function textModelConfig(config: Json, labels?: readonly string[], preferred?: string): Json {
  const {
    "transformers.js_config": forBrowser,
    num_labels: _count,
    id2label: _names,
    label2id: _ids,
    problem_type: _problem,
    nasty: _before,
    ...rest
  } = config;
  const end = labels === undefined ? "Model" : "ForSequenceClassification";
  const architecture = classOf(String(config["model_type"]), end);
  const { dtype: _dtype, ...kept } = (forBrowser ?? {}) as Record<string, unknown>;
  const wanted = preferred === undefined ? kept : { ...kept, dtype: preferred };
  return {
    ...rest,
    ...(architecture !== undefined && { architectures: [architecture] }),
    ...(Object.keys(wanted).length > 0 && { "transformers.js_config": wanted }),
    ...(labels !== undefined && {
      problem_type: "single_label_classification",
      id2label: Object.fromEntries(labels.map((label, index) => [String(index), label])),
      label2id: Object.fromEntries(labels.map((label, index) => [label, index])),
    }),
  };
}
