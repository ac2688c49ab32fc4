// Small valid inputs of every kind, which the cases are mutated from.
import { buildNeuralModel } from "../../packages/tagger-training/dist/index.js";
import { withTagger } from "../../packages/taggers/dist/index.js";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  serializeModel,
} from "../../packages/formats/dist/onnx/index.js";

const words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "Time", "flies", "like", "##s", "an", "arrow", "."];
export const labels = ["DET", "NOUN", "O", "B-PER", "I-PER"];
const width = 8;

const wave = (length, phase = 0) => Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898 + phase));
const weight = (name, shape) =>
  makeTensor(name, "float32", {
    values: wave(
      shape.reduce((a, b) => a * b, 1),
      name.length,
    ),
    shape,
  });

/** Embedding, a matrix, an activation, a classifier. */
export function classifier() {
  const graph = makeGraph("tiny", {
    nodes: [
      makeNode("Gather", ["embedding.weight", "input_ids"], ["words"], { name: "/embedding/Gather" }),
      makeNode("MatMul", ["words", "encoder.weight"], ["hidden"], { name: "/encoder/MatMul" }),
      makeNode("Relu", ["hidden"], ["positive"], { name: "/encoder/Relu" }),
      makeNode("MatMul", ["positive", "classifier.weight"], ["scores"], { name: "/classifier/MatMul" }),
      makeNode("Add", ["scores", "classifier.bias"], ["logits"], { name: "/classifier/Add" }),
    ],
    inputs: ["input_ids", "attention_mask"].map((name) =>
      makeValueInfo(name, "int64", ["batch", "sequence"]),
    ),
    outputs: [makeValueInfo("logits", "float32", ["batch", "sequence", labels.length])],
    initializers: [
      weight("embedding.weight", [words.length, width]),
      weight("encoder.weight", [width, width]),
      weight("classifier.weight", [width, labels.length]),
      weight("classifier.bias", [labels.length]),
    ],
  });
  return makeModel(graph, { opsets: { "": 17 }, irVersion: 8 });
}

/** Convolution, Gemm, constants, reshaping, and a choice between two subgraphs. */
function pictures() {
  const branch = (name, op) =>
    makeGraph(name, {
      nodes: [makeNode(op, ["flat"], [`${name}_out`])],
      inputs: [],
      outputs: [makeValueInfo(`${name}_out`, "float32", [1, 16])],
    });
  const graph = makeGraph("pictures", {
    nodes: [
      makeNode("Conv", ["x", "conv.weight", "conv.bias"], ["c"], {
        name: "conv",
        attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
      }),
      makeNode("Constant", [], ["shape"], {
        attributes: { value: makeTensor("", "int64", { values: [1, -1] }) },
      }),
      makeNode("Reshape", ["c", "shape"], ["flat"]),
      makeNode("If", ["which"], ["chosen"], {
        attributes: { then_branch: branch("then", "Relu"), else_branch: branch("else", "Neg") },
      }),
      makeNode("Gemm", ["chosen", "fc.weight", "fc.bias"], ["y"], {
        name: "fc",
        attributes: { transB: 1, alpha: 1 },
      }),
    ],
    inputs: [makeValueInfo("x", "float32", [1, 1, 2, 4]), makeValueInfo("which", "bool", [])],
    outputs: [makeValueInfo("y", "float32", [1, 3])],
    initializers: [
      weight("conv.weight", [2, 1, 3, 3]),
      weight("conv.bias", [2]),
      weight("fc.weight", [3, 16]),
      weight("fc.bias", [3]),
    ],
  });
  return makeModel(graph, { opsets: { "": 17 }, irVersion: 8 });
}

const features = {
  vocabulary: ["like", "time"],
  prefixes: [1, 2],
  suffixes: [2],
  affixRows: 12,
  shapeRows: 31,
  characters: "aeiklmtT",
  longestWord: 8,
};

function neural(kind) {
  const characters = {
    width: 3,
    filters: [
      { size: 2, count: 2 },
      { size: 3, count: 2 },
    ],
  };
  const sizes = { word: 4, affix: kind === "cnn" ? 4 : 3, shape: kind === "cnn" ? 4 : 2, characters };
  const dropouts = { embeddingDropout: 0.1, layerDropout: 0.1, outputDropout: 0.1 };
  const architecture =
    kind === "cnn"
      ? { kind, embedding: { join: "sum", ...sizes }, layers: 1, ...dropouts }
      : { kind, embedding: { join: "concat", ...sizes }, layers: 1, hidden: 3, ...dropouts };
  return buildNeuralModel({ features, architecture, labels: labels.length, chain: kind === "bilstm" });
}

export const tokenizer = {
  version: "1.0",
  truncation: null,
  padding: { strategy: "BatchLongest", direction: "Right", pad_id: 0, pad_token: "[PAD]" },
  added_tokens: words.slice(0, 4).map((content, id) => ({
    id,
    content,
    special: true,
    normalized: false,
    lstrip: false,
    rstrip: false,
    single_word: false,
  })),
  normalizer: {
    type: "Sequence",
    normalizers: [
      {
        type: "BertNormalizer",
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase: false,
      },
      { type: "NFC" },
      { type: "Replace", pattern: { Regex: "\\s+" }, content: " " },
    ],
  },
  pre_tokenizer: {
    type: "Sequence",
    pretokenizers: [
      { type: "BertPreTokenizer" },
      { type: "Split", pattern: { String: "-" }, behavior: "Isolated", invert: false },
    ],
  },
  post_processor: {
    type: "TemplateProcessing",
    single: [
      { SpecialToken: { id: "[CLS]", type_id: 0 } },
      { Sequence: { id: "A", type_id: 0 } },
      { SpecialToken: { id: "[SEP]", type_id: 0 } },
    ],
    pair: [],
    special_tokens: {
      "[CLS]": { id: "[CLS]", ids: [2], tokens: ["[CLS]"] },
      "[SEP]": { id: "[SEP]", ids: [3], tokens: ["[SEP]"] },
    },
  },
  decoder: { type: "WordPiece", prefix: "##", cleanup: true },
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(words.map((word, id) => [word, id])),
  },
};

const others = {
  post_processor: {
    type: "RobertaProcessing",
    sep: ["[SEP]", 3],
    cls: ["[CLS]", 2],
    trim_offsets: true,
    add_prefix_space: true,
  },
  normalizer: null,
};
export const tokenizers = [
  tokenizer,
  {
    ...tokenizer,
    ...others,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      unk_token: "[UNK]",
      merges: ["T i", "m e"],
      vocab: Object.fromEntries([...words, "T", "i", "m", "e", "Ti", "me"].map((word, id) => [word, id])),
    },
  },
  {
    ...tokenizer,
    ...others,
    pre_tokenizer: {
      type: "Metaspace",
      replacement: "\u2581",
      add_prefix_space: true,
      prepend_scheme: "always",
    },
    model: {
      type: "Unigram",
      unk_id: 1,
      vocab: [...words, "\u2581", "\u2581Time", "e"].map((word, id) => [word, -id]),
    },
  },
];

export const config = {
  model_type: "bert",
  architectures: ["BertForTokenClassification"],
  id2label: Object.fromEntries(labels.map((label, id) => [id, label])),
  label2id: Object.fromEntries(labels.map((label, id) => [label, id])),
  vocab_size: words.length,
  hidden_size: width,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 16,
  max_position_embeddings: 64,
  type_vocab_size: 2,
  hidden_act: "gelu",
  layer_norm_eps: 1e-12,
  pad_token_id: 0,
  "transformers.js_config": { dtype: "q8" },
};

export const tokenizerConfig = {
  tokenizer_class: "BertTokenizer",
  pad_token: "[PAD]",
  cls_token: "[CLS]",
  sep_token: { content: "[SEP]" },
  unk_token: "[UNK]",
  model_max_length: 512,
  do_lower_case: false,
  added_tokens_decoder: { 0: { content: "[PAD]", special: true } },
};

const neuralSettings = { kind: "neural", task: "ner", labels, features };
const transformerSettings = {
  kind: "transformer",
  task: "pos",
  labels,
  tokenizer: {
    json: tokenizer,
    padId: 0,
    unkToken: "[UNK]",
    removeSpace: undefined,
    lowercaseAndRemoveAccent: undefined,
  },
  maxPositions: 64,
  huggingFace: { config, tokenizerConfig },
};

/** Models that carry their tagger. */
export const taggers = () =>
  Promise.all([
    withTagger(classifier(), transformerSettings),
    withTagger(neural("bilstm"), neuralSettings),
    withTagger(neural("cnn"), neuralSettings),
  ]);

export const models = async () =>
  [classifier(), pictures(), ...(await taggers())].map((model) => Buffer.from(serializeModel(model)));

export const conllu = `# sent_id = 1
# text = Don't stop.
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\tdo\tAUX\tVB\tMood=Imp|VerbForm=Fin\t3\taux\t3:aux\t_
2\tn't\tnot\tPART\tRB\t_\t3\tadvmod\t3:advmod\t_
3\tstop\tstop\tVERB\tVB\tMood=Imp\t0\troot\t0:root\tSpaceAfter=No
3.1\tit\tit\tPRON\tPRP\t_\t_\t_\t3:obj\t_
4\t.\t.\tPUNCT\t.\t_\t3\tpunct\t3:punct\t_

# sent_id = 2
# text = Time flies
1\tTime\ttime\tNOUN\tNN\t_\t2\tnsubj\t2:nsubj\t_
2\tflies\tfly\tVERB\tVBZ\t_\t0\troot\t0:root\tner=B-PER

`;

export const columns = `-DOCSTART- -X- -X- O

Ada NNP B-NP B-PER
Lovelace NNP I-NP I-PER
lived VBD B-VP O
in IN B-PP O
London NNP B-NP B-LOC

Yes UH O O

`;

export const recipe = {
  model: "default",
  data: {
    train: "train.conllu",
    validation: { file: "sample", part: "1/3" },
    test: "sample",
    calibration: ["news.conllu", { file: "sample", count: 100 }],
  },
  steps: [
    { prune: { sparsity: 0.3 } },
    {
      quantize: {
        mode: "static",
        method: "percentile",
        percentile: 99.9,
        "skip-layers": ["classifier*"],
        "target-accuracy-loss": 0.01,
      },
    },
    { eval: { "target-accuracy-loss": 0.02 } },
    "compress",
  ],
};

export const safetensors = {
  header: {
    __metadata__: { format: "pt" },
    "embedding.weight": { dtype: "F32", shape: [2, 4], data_offsets: [0, 32] },
    bias: { dtype: "F16", shape: [4], data_offsets: [32, 40] },
    ids: { dtype: "I64", shape: [], data_offsets: [40, 48] },
  },
  dataBytes: 48,
};
