// What is fuzzed: how a case of each kind is made, and everything that a reader of it and the steps behind it do with
// it.
import {
  dynamic,
  estimate,
  historyOf,
  int4,
  pruner,
  weightOnly,
} from "../../packages/compression/dist/index.js";
import { readRecipe } from "../../packages/compression/dist/pipeline/index.js";
import { tensor } from "../../packages/core/dist/index.js";
import { parseConllu, serializeConllu, validateConllu } from "../../packages/formats/dist/conllu/index.js";
import {
  parseModelConfig,
  parseTokenizerConfig,
  parseTokenizerFile,
} from "../../packages/formats/dist/hf/index.js";
import { parseColumns, serializeColumns } from "../../packages/formats/dist/iob/index.js";
import {
  ModelProtoSchema,
  parseModel,
  serializeModel,
  tensorFromProto,
  tensorsOf,
  withMetadata,
} from "../../packages/formats/dist/onnx/index.js";
import { parseSafetensors, safetensorsMetadata } from "../../packages/formats/dist/safetensors/index.js";
import {
  describeGraph,
  foldConstants,
  ModelGraph,
  unsafePairs,
  validateModel,
} from "../../packages/graph/dist/index.js";
import { openSession } from "../../packages/runtime/dist/index.js";
import {
  makeTransformerTagger,
  readTaggerSettings,
  score,
  settingsFromHf,
} from "../../packages/taggers/dist/index.js";
import { buildEncoder, parseEncoderConfig } from "../../packages/taggers/dist/encoders/index.js";
import { openTaggerModel } from "../../packages/taggers/dist/node.js";
import { stepKinds } from "../../packages/workflow/dist/recipes/steps/step-kinds.js";
import { damagedText, mutatedTree, textOf, treeOf } from "./json-trees.mjs";
import { chance, oddStrings, pick } from "./oddities.mjs";
import * as samples from "./samples.mjs";
import { mutatedRows } from "./text-rows.mjs";
import { mutatedMessage } from "./wire-trees.mjs";

const sentences = [
  ["Time", "flies", "like", "an", "arrow", "."],
  [],
  ["constructor", "__proto__", "\ud800", "x".repeat(300)],
];

/** Runs steps that may each refuse the input; the first error that is no refusal is thrown by `attempt`. */
async function all(steps, attempt) {
  for (const step of steps) await attempt(step);
}

async function tagAll(tagger) {
  try {
    for await (const tags of tagger.tag(sentences))
      if (!Array.isArray(tags)) throw new TypeError("tags: expected a list");
  } finally {
    await tagger.close();
  }
}

/** A model without a tagger is refused by whoever looks for one. */
const refuse = () => {
  throw Object.assign(new Error("no tagger"), { kind: "input" });
};

const text = (bytes) => new TextDecoder("utf-8").decode(bytes);

export async function openSubjects() {
  const models = await samples.models();
  const taggers = await samples.taggers();
  const checkpointSession = await openSession(serializeModel(samples.classifier()));
  const session = {
    ...checkpointSession,
    inputs: checkpointSession.inputs,
    outputs: checkpointSession.outputs,
    run: (feeds) => checkpointSession.run(feeds),
    close: async () => undefined,
  };
  const schemas = stepKinds.map(({ schema }) => schema);

  return {
    onnx: {
      make: (random) => mutatedMessage(random, ModelProtoSchema, pick(random, models)),
      async run(bytes, attempt) {
        const model = await attempt(() => parseModel(bytes));
        if (model === undefined) return;
        await all(
          [
            () => serializeModel(model),
            () => historyOf(model),
            () => readTaggerSettings(model),
            () => [...tensorsOf(model)].map(({ tensor: one }) => tensorFromProto(one)),
          ],
          attempt,
        );
        // What the command does first, and refuses by the name of the file.
        if ((await attempt(() => (validateModel(ModelGraph.from(model)), true))) === undefined) return;
        await all(
          [
            () => describeGraph(model),
            () => unsafePairs(ModelGraph.from(model)),
            () => foldConstants(ModelGraph.from(model)),
            () => estimate(model),
            async () => dynamic.apply(model, await dynamic.plan(model)),
            async () => weightOnly.apply(model, await weightOnly.plan(model)),
            async () => int4.apply(model, await int4.plan(model)),
            async () => pruner.apply(model, await pruner.plan(model, { sparsity: 0.5 })),
          ],
          attempt,
        );
      },
    },
    metadata: {
      make(random) {
        const model = pick(random, taggers);
        const { key, value } = pick(
          random,
          model.metadataProps.filter((entry) => entry.key.startsWith("nasty.")),
        );
        let changed;
        if (/^[[{]/.test(value))
          changed = damagedText(random, textOf(mutatedTree(random, JSON.parse(value))));
        else
          changed = pick(random, [
            () => value.slice(0, random.below(value.length)),
            () => pick(random, oddStrings),
            () => `${value}${value}`,
            () => value.replace(/./, "!"),
          ])();
        return withMetadata(model, {
          [key]: chance(random, 0.05) ? undefined : changed,
          ...(chance(random, 0.1) && {
            "nasty.history": textOf(
              mutatedTree(random, { schemaVersion: 1, steps: [{ step: "train", options: {} }] }),
            ),
          }),
        });
      },
      async run(model, attempt) {
        await all(
          [
            () => historyOf(model),
            async () => tagAll(await openTaggerModel(model, (await readTaggerSettings(model)) ?? refuse())),
          ],
          attempt,
        );
      },
    },
    tokenizer: {
      make: (random) => damagedText(random, textOf(mutatedTree(random, pick(random, samples.tokenizers)))),
      async run(json, attempt) {
        const file = await attempt(() => parseTokenizerFile(json));
        if (file === undefined) return;
        const parts = {
          config: parseModelConfig(JSON.stringify(samples.config)),
          tokenizerConfig: parseTokenizerConfig(JSON.stringify(samples.tokenizerConfig)),
          tokenizerJson: file.raw,
        };
        await attempt(async () => tagAll(await makeTransformerTagger(session, settingsFromHf(parts))));
      },
    },
    config: {
      make(random) {
        const first = chance(random, 0.6);
        return [
          damagedText(random, textOf(first ? mutatedTree(random, samples.config) : treeOf(samples.config))),
          damagedText(
            random,
            textOf(first ? treeOf(samples.tokenizerConfig) : mutatedTree(random, samples.tokenizerConfig)),
          ),
        ];
      },
      async run([configJson, tokenizerJson], attempt) {
        const config = await attempt(() => parseModelConfig(configJson));
        const tokenizerConfig = await attempt(() => parseTokenizerConfig(tokenizerJson));
        if (config === undefined) return;
        await attempt(() =>
          buildEncoder(
            config.raw,
            new Map([
              ["bert.embeddings.word_embeddings.weight", tensor("float32", [11, 8], new Float32Array(88))],
            ]),
          ),
        );
        await attempt(() => parseEncoderConfig(config.raw));
        if (tokenizerConfig === undefined) return;
        await attempt(async () =>
          tagAll(
            await makeTransformerTagger(
              session,
              settingsFromHf({ config, tokenizerConfig, tokenizerJson: samples.tokenizer }),
            ),
          ),
        );
      },
    },
    conllu: {
      make: (random) => mutatedRows(random, samples.conllu, "\t"),
      async run(bytes, attempt) {
        const read = await attempt(() => parseConllu(text(bytes)));
        await attempt(() => validateConllu(text(bytes)));
        if (read === undefined) return;
        const written = serializeConllu(read);
        await all([() => serializeConllu(parseConllu(written)), () => validateConllu(written)], attempt);
      },
    },
    columns: {
      make: (random) => mutatedRows(random, samples.columns, " "),
      async run(bytes, attempt) {
        const read = await attempt(() => parseColumns(text(bytes)));
        if (read === undefined) return;
        await all([() => serializeColumns(read), () => score(read, read, { task: "ner" })], attempt);
      },
    },
    recipe: {
      make(random) {
        const yaml = damagedText(random, textOf(mutatedTree(random, samples.recipe)));
        return chance(random, 0.2)
          ? yaml
              .replace(/[[{]/g, (bracket) =>
                chance(random, 0.2)
                  ? `&a ${bracket}`
                  : chance(random, 0.1)
                    ? `!!${pick(random, ["map", "set", "binary", "x"])} ${bracket}`
                    : bracket,
              )
              .replace(/"[a-z]+"/, () => pick(random, ["*a", "<<", "? a"]))
          : yaml;
      },
      async run(yaml, attempt) {
        await attempt(() => readRecipe(yaml, schemas, "recipe.yaml"));
      },
    },
    safetensors: {
      make(random) {
        const json = damagedText(random, textOf(mutatedTree(random, samples.safetensors.header)));
        // Padded as writers do it, so that data is aligned.
        const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
        const length = Buffer.alloc(8);
        length.writeBigUInt64LE(
          chance(random, 0.05) ? pick(random, [0n, 1n, 1n << 40n, (1n << 64n) - 1n]) : BigInt(header.length),
        );
        return Buffer.concat([
          length,
          header,
          Buffer.alloc(chance(random, 0.1) ? random.below(100) : samples.safetensors.dataBytes),
        ]);
      },
      async run(bytes, attempt) {
        await all(
          [
            () => parseSafetensors(bytes),
            () => safetensorsMetadata(bytes),
            () => parseSafetensors(bytes, { requireAligned: true }),
          ],
          attempt,
        );
      },
    },
    // For the test of the fuzzer itself: every hundredth case fails as a bug would.
    planted: {
      make: (random) => random.below(100),
      run: (number, attempt) => attempt(() => (number === 0 ? undefined.x : number)),
    },
  };
}
