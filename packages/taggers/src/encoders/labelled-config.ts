import { tokenClassifierClass } from "./families.js";

type Json = Readonly<Record<string, unknown>>;

/**
 * `config.json` of a token classifier with these labels.
 *
 * @param preferred the file that transformers.js shall take, where it would look for one that is not there
 */
export function labelledConfig(config: Json, labels: readonly string[], preferred?: string): Json {
  const { "transformers.js_config": forBrowser, num_labels: _count, ...rest } = config;
  const architecture = tokenClassifierClass(String(config["model_type"]));
  const { dtype: _dtype, ...kept } = (forBrowser ?? {}) as Record<string, unknown>;
  const wanted = preferred === undefined ? kept : { ...kept, dtype: preferred };
  return {
    ...rest,
    ...(architecture === undefined ? {} : { architectures: [architecture] }),
    ...(Object.keys(wanted).length === 0 ? {} : { "transformers.js_config": wanted }),
    id2label: Object.fromEntries(labels.map((label, index) => [String(index), label])),
    label2id: Object.fromEntries(labels.map((label, index) => [label, index])),
  };
}
