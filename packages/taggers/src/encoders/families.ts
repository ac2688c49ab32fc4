/** Names of a layer's parts, as they stand behind the layer's own prefix. */
export interface LayerNames {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly attentionOutput: string;
  readonly attentionNorm: string;
  readonly intermediate: string;
  readonly output: string;
  readonly outputNorm: string;
}

/** How one family of encoders names its tensors and places its positions. */
export interface EncoderFamily {
  readonly name: "bert" | "roberta" | "distilbert" | "electra";
  /** What stands before the encoder's tensors in the checkpoint of a task model; a bare encoder's have nothing. */
  readonly prefix: string;
  /** Prefix of layer i: this, i and a dot. */
  readonly layers: string;
  readonly layer: LayerNames;
  readonly defaultPadId: number;
  /** Positions count from padId + 1 over the tokens that are not padding. */
  readonly positionsBehindPadding: boolean;
  /** Class of transformers that tags tokens with it, by model type. */
  readonly classes: Readonly<Record<string, string>>;
}

const bertLayer: LayerNames = {
  query: "attention.self.query",
  key: "attention.self.key",
  value: "attention.self.value",
  attentionOutput: "attention.output.dense",
  attentionNorm: "attention.output.LayerNorm",
  intermediate: "intermediate.dense",
  output: "output.dense",
  outputNorm: "output.LayerNorm",
};

const bertLike = {
  layers: "encoder.layer.",
  layer: bertLayer,
  defaultPadId: 0,
  positionsBehindPadding: false,
};

/** The families that can be built, in the order in which they are looked for in a checkpoint. */
export const families: readonly EncoderFamily[] = [
  {
    ...bertLike,
    name: "distilbert",
    prefix: "distilbert.",
    layers: "transformer.layer.",
    layer: {
      query: "attention.q_lin",
      key: "attention.k_lin",
      value: "attention.v_lin",
      attentionOutput: "attention.out_lin",
      attentionNorm: "sa_layer_norm",
      intermediate: "ffn.lin1",
      output: "ffn.lin2",
      outputNorm: "output_layer_norm",
    },
    classes: { distilbert: "DistilBertForTokenClassification" },
  },
  {
    ...bertLike,
    name: "roberta",
    prefix: "roberta.",
    defaultPadId: 1,
    positionsBehindPadding: true,
    classes: {
      roberta: "RobertaForTokenClassification",
      "xlm-roberta": "XLMRobertaForTokenClassification",
      camembert: "CamembertForTokenClassification",
    },
  },
  {
    ...bertLike,
    name: "electra",
    prefix: "electra.",
    classes: { electra: "ElectraForTokenClassification" },
  },
  { ...bertLike, name: "bert", prefix: "bert.", classes: { bert: "BertForTokenClassification" } },
];

/** Values of `model_type` that can be built. */
export const supportedModelTypes: readonly string[] = families.flatMap(({ classes }) => Object.keys(classes));

export function familyOf(modelType: string | undefined): EncoderFamily | undefined {
  if (modelType === undefined) return undefined;
  return families.find(({ classes }) => Object.hasOwn(classes, modelType));
}

/** Name of the class of transformers that tags tokens with a model of this type, where it is known. */
export function tokenClassifierClass(modelType: string): string | undefined {
  return familyOf(modelType)?.classes[modelType];
}
