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
  /** What classifies whole texts. */
  readonly sequenceHead: SequenceHeadNames;
  /** What the names of its classes in transformers begin with, by model type. */
  readonly classes: Readonly<Record<string, string>>;
}

/** The two linear layers between the first token's hidden state and the scores of a text, and what is between them. */
export interface SequenceHeadNames {
  /** Name of the first layer, [width, width], in the checkpoint; the family's prefix goes before it if `isInside`. */
  readonly dense: string;
  readonly isInside: boolean;
  readonly activation: "tanh" | "relu" | "gelu";
  /** Name of the second layer, [labels, width]. */
  readonly output: string;
  /** Whether training drops out the hidden state too, not only what the activation gives. */
  readonly dropsHidden: boolean;
}

/** BERT's head, whose first layer is the encoder's pooler. */
const poolerHead: SequenceHeadNames = {
  dense: "pooler.dense",
  isInside: true,
  activation: "tanh",
  output: "classifier",
  dropsHidden: false,
};

/** RoBERTa's head; that of encoders of other families too, which transformers may name otherwise. */
const denseHead: SequenceHeadNames = {
  dense: "classifier.dense",
  isInside: false,
  activation: "tanh",
  output: "classifier.out_proj",
  dropsHidden: true,
};

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
  sequenceHead: poolerHead,
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
    sequenceHead: {
      ...poolerHead,
      dense: "pre_classifier",
      isInside: false,
      activation: "relu",
    },
    classes: { distilbert: "DistilBert" },
  },
  {
    ...bertLike,
    name: "roberta",
    prefix: "roberta.",
    defaultPadId: 1,
    positionsBehindPadding: true,
    sequenceHead: denseHead,
    classes: { roberta: "Roberta", "xlm-roberta": "XLMRoberta", camembert: "Camembert" },
  },
  {
    ...bertLike,
    name: "electra",
    prefix: "electra.",
    sequenceHead: { ...denseHead, activation: "gelu" },
    classes: { electra: "Electra" },
  },
  { ...bertLike, name: "bert", prefix: "bert.", classes: { bert: "Bert" } },
];

/** Values of `model_type` that can be built. */
export const supportedModelTypes: readonly string[] = families.flatMap(({ classes }) => Object.keys(classes));

export function familyOf(modelType: string | undefined): EncoderFamily | undefined {
  if (modelType === undefined) return undefined;
  return families.find(({ classes }) => Object.hasOwn(classes, modelType));
}

/** What a model of a family does, by the end of its class's name in transformers. */
export type ModelClass = "ForTokenClassification" | "ForSequenceClassification" | "Model";

/** Name of the class of transformers that a model of this type is loaded with, where it is known. */
export function classOf(modelType: string, end: ModelClass): string | undefined {
  const start = familyOf(modelType)?.classes[modelType];
  return start === undefined ? undefined : `${start}${end}`;
}

/** The head that classifies texts with a model of this type, its layers under their whole names in a checkpoint. */
export function sequenceHeadOf(modelType: string): SequenceHeadNames {
  const family = familyOf(modelType);
  if (family === undefined) return denseHead;
  const { sequenceHead: head, prefix } = family;
  return head.isInside ? { ...head, dense: prefix + head.dense } : head;
}
