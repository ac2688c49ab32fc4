/** Families by the first part of their classes' names, where that is not the family's name in lower case. */
const families: Readonly<Record<string, string>> = {
  XLMRoberta: "xlm-roberta",
  XLMRobertaXL: "xlm-roberta-xl",
  RobertaPreLayerNorm: "roberta-prelayernorm",
  Data2VecText: "data2vec-text",
  DebertaV2: "deberta-v2",
  XLM: "xlm",
  XLNet: "xlnet",
  MPNet: "mpnet",
  MobileBert: "mobilebert",
  MegatronBert: "megatron-bert",
  DistilBert: "distilbert",
  RemBert: "rembert",
  RoFormer: "roformer",
  ModernBert: "modernbert",
  LayoutLMv3: "layoutlmv3",
  BigBird: "big_bird",
};

/**
 * The family of a model by the name of its class, such as `BertForTokenClassification`; undefined where it is none of
 * transformers'.
 *
 * @example
 * ```ts
 * modelTypeOfClass("XLMRobertaForTokenClassification"); // "xlm-roberta"
 * ```
 */
export function modelTypeOfClass(name: string): string | undefined {
  const prefix = /^([A-Za-z0-9]+?)(?:For[A-Z]\w*|Model)$/.exec(name)?.[1];
  if (prefix === undefined) return undefined;
  return Object.hasOwn(families, prefix) ? families[prefix] : prefix.toLowerCase();
}
