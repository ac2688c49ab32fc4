import * as v from "valibot";
import type { FolderFiles } from "./folder-files.js";
import { readTextIfThere } from "./folder-files.js";
import { checkedJson } from "./json.js";

/** How the vectors of a text's positions become one. */
export const poolings = ["cls", "mean", "max", "mean-sqrt", "weighted-mean", "last"] as const;
export type Pooling = (typeof poolings)[number];

/** What a directory of the sentence-transformers library says beside the model. */
export interface SentenceModules {
  /** One pooling, or several whose vectors stand one behind the other. */
  readonly pooling: readonly Pooling[];
  /** Whether vectors are divided by their length. */
  readonly normalize: boolean;
  /** Longest text in subwords, where the files tell. */
  readonly maxLength: number | undefined;
  /** What is not applied, a sentence each. */
  readonly notes: readonly string[];
}

/** Keys of a pooling's `config.json`, and what each means. */
const keys: Readonly<Record<string, Pooling>> = {
  pooling_mode_cls_token: "cls",
  pooling_mode_max_tokens: "max",
  pooling_mode_mean_tokens: "mean",
  pooling_mode_mean_sqrt_len_tokens: "mean-sqrt",
  pooling_mode_weightedmean_tokens: "weighted-mean",
  pooling_mode_lasttoken: "last",
};

const Modules = v.pipe(
  v.looseObject({ modules: v.array(v.looseObject({ path: v.string(), type: v.string() })) }),
  v.transform(({ modules }) => modules),
);
const PoolingConfig = v.looseObject({});
const Limits = v.looseObject({ max_seq_length: v.nullish(v.number()) });

/**
 * Reads `modules.json`, `1_Pooling/config.json` and `sentence_bert_config.json` of a directory.
 *
 * @returns undefined for a directory that has none of them
 * @throws FormatError `json`, `schema`
 */
export async function readSentenceModules(files: FolderFiles): Promise<SentenceModules | undefined> {
  const listed = await readTextIfThere(files, "modules.json");
  const limits = await readTextIfThere(files, "sentence_bert_config.json");
  const types = listed === undefined ? undefined : modulesOf(listed, files.pathOf("modules.json"));
  const folder = types?.find(({ type }) => isOf(type, "Pooling"))?.path ?? "1_Pooling";
  const file = `${folder}/config.json`;
  const pooling = await readTextIfThere(files, file);
  if (types === undefined && pooling === undefined) return undefined;
  const notes = (types ?? [])
    .filter(({ type }) => !["Transformer", "Pooling", "Normalize"].some((name) => isOf(type, name)))
    .map(
      ({ path, type }) =>
        `${files.pathOf("modules.json")}: ${path} (${type}) is not applied: vectors are those before it`,
    );
  const maxLength =
    limits === undefined
      ? undefined
      : checkedJson("readSentenceModules", files.pathOf("sentence_bert_config.json"), limits, Limits)
          .max_seq_length;
  return {
    pooling: pooling === undefined ? ["mean"] : poolingOf(pooling, files.pathOf(file)),
    normalize: types?.some(({ type }) => isOf(type, "Normalize")) === true,
    maxLength:
      Number.isSafeInteger(maxLength) && (maxLength as number) > 0 ? (maxLength as number) : undefined,
    notes,
  };
}

/** Whether a class, such as `sentence_transformers.models.Pooling`, has this name. */
const isOf = (type: string, name: string): boolean => type.split(".").at(-1) === name;

function modulesOf(text: string, file: string) {
  // The file is a list; what checks it takes objects.
  return checkedJson("readSentenceModules", file, `{"modules":${text}}`, Modules);
}

function poolingOf(text: string, file: string): readonly Pooling[] {
  const config: Readonly<Record<string, unknown>> = checkedJson(
    "readSentenceModules",
    file,
    text,
    PoolingConfig,
  );
  const named = Object.entries(keys)
    .filter(([key]) => config[key] === true)
    .map(([, pooling]) => pooling);
  if (named.length > 0) return named;
  const mode = config["pooling_mode"];
  const found = poolings.find((pooling) => pooling === mode);
  return found === undefined ? ["mean"] : [found];
}
