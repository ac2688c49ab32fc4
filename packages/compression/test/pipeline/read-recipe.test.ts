import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CompressionError } from "../../src/compression-error.js";
import { readRecipe } from "../../src/pipeline/index.js";
import { schemas } from "./schemas.js";

const read = (text: string) => readRecipe(text, schemas, "r.yaml");

function failure(text: string): CompressionError {
  try {
    read(text);
  } catch (error) {
    if (error instanceof CompressionError) return error;
    throw error;
  }
  throw new Error("expected an error");
}

describe("readRecipe", () => {
  it("reads model, texts and steps; numbers stay as a command line has them", () => {
    const recipe = read(`
model: pos.onnx
data:
  train: { file: train.conllu, part: 1-3/4 }
  test: { file: sample, part: 2/3 }
  calibration: [news.conllu:100, { file: chat.txt, count: 20 }, "a:b.txt"]
steps:
  - prune: { sparsity: 0.30 }
  - quantize:
      method: percentile
      per-channel: false
      skip-layers: [/classifier/*, 3]
      vocabulary: train
  - compress
`);
    expect(recipe).toMatchObject({ name: "r.yaml", model: "pos.onnx", modelAt: { line: 2, column: 8 } });
    expect(recipe.data).toMatchObject({
      train: [{ file: "train.conllu", part: { from: 1, to: 3, of: 4 } }],
      test: [{ file: "sample", part: { from: 2, to: 2, of: 3 } }],
      calibration: [
        { file: "news.conllu", count: 100 },
        { file: "chat.txt", count: 20 },
        { file: "a:b.txt" },
      ],
    });
    expect(recipe.steps.map(({ number, kind, options }) => ({ number, kind, options }))).toEqual([
      { number: 1, kind: "prune", options: { sparsity: "0.3" } },
      {
        number: 2,
        kind: "quantize",
        options: {
          method: "percentile",
          "per-channel": false,
          "skip-layers": ["/classifier/*", "3"],
          vocabulary: "train",
        },
      },
      { number: 3, kind: "compress", options: {} },
    ]);
    expect(recipe.steps[1]?.optionsAt["per-channel"]).toEqual({ line: 11, column: 7 });
  });

  it("a list option takes one value too, anchors stand for what they name", () => {
    const recipe = read(
      "model: &m a.onnx\nsteps:\n  - quantize: &q { skip-layers: one }\n  - quantize: *q\n",
    );
    expect(recipe.steps.map(({ options }) => options)).toEqual([
      { "skip-layers": ["one"] },
      { "skip-layers": ["one"] },
    ]);
  });

  it.each([
    // A step and an option that do not exist: line, column, the name that was meant.
    [
      "model: a\nsteps:\n  - quantise: {}",
      3,
      5,
      "step 1: expected one of quantize, compress, prune, got quantise; did you mean quantize?",
    ],
    ["model: a\nsteps:\n  - xyz", 3, 5, "step 1: expected one of quantize, compress, prune, got xyz"],
    [
      "model: a\nsteps:\n  - compress\n  - quantize:\n      perChannel: true",
      5,
      7,
      "step 2 (quantize): option: expected one of method, per-channel, skip-layers, vocabulary, got perChannel; did you mean per-channel?",
    ],
    ["model: a\nsteps: [{ compress: { level: 3 } }]", 2, 23, "option: expected no options, got level"],
    [
      "model: a\ndata:\n  tests: x\nsteps: [compress]",
      3,
      3,
      "data: key: expected one of train, validation, test, calibration, unlabelled, got tests; did you mean test?",
    ],
    [
      "modell: a\nsteps: [compress]",
      1,
      1,
      "recipe: key: expected one of model, task, scheme, data, steps, got modell",
    ],
    // Values of another type.
    [
      "model: a\nsteps: [{ quantize: { per-channel: yes } }]",
      2,
      36,
      "step 1 (quantize): per-channel: expected true or false, got yes",
    ],
    [
      "model: a\nsteps: [{ prune: { sparsity: [0.3] } }]",
      2,
      30,
      "step 1 (prune): sparsity: expected a value, got a list",
    ],
    ["model: a\nsteps: [{ prune: { sparsity: true } }]", 2, 30, "sparsity: expected a value, got true"],
    ["model: a\nsteps: [{ prune: { sparsity: -1 } }]", 2, 30, "sparsity: expected a share, got -1"],
    ["model: a\nsteps: [{ prune: { sparsity: } }]", 2, 30, "sparsity: expected a value, got nothing"],
    [
      "model: a\ndata: { calibration: c }\nsteps: [{ quantize: { method: percentil } }]",
      3,
      31,
      "step 1 (quantize): method: expected one of minmax, percentile, got percentil",
    ],
    ["model: [a]\nsteps: [compress]", 1, 8, "model: expected a path or default, got a list"],
    ["model: a\nsteps: compress", 2, 8, "steps: expected a list, got compress"],
    ["model: a\nsteps: []", 2, 8, "steps: expected at least 1, got 0"],
    ["model: a", 1, 1, "steps: expected a list of steps, got none"],
    [
      "steps: [compress]",
      1,
      1,
      "model: expected a model file, a Hugging Face directory or default, got none",
    ],
    ["", 1, 1, "recipe: expected keys and values, got nothing"],
    ["\u001b[31mred", 1, 1, 'recipe: expected keys and values, got "\\u001b[31mred"'],
    ["x".repeat(500), 1, 1, `recipe: expected keys and values, got "${"x".repeat(60)}"…`],
    [
      "model: a\nsteps:\n  - quantize:\n    per-channel: true",
      4,
      5,
      "step 1: expected one step with its options under it, got per-channel; indent options below the step's name",
    ],
    // Texts.
    [
      "model: a\nsteps:\n  - quantize: { method: minmax }",
      3,
      5,
      "step 1 (quantize): data: expected calibration in the data section (ranges are measured on it), got none",
    ],
    [
      "model: a\ndata: { train: t }\nsteps: [{ quantize: { vocabulary: trian } }]",
      3,
      35,
      "vocabulary: expected one of train, got trian; did you mean train?",
    ],
    [
      "model: a\ndata: { train: [a, b] }\nsteps: [compress]",
      2,
      16,
      "data: train: expected one text, got a list",
    ],
    ["model: a\ndata: { train: - }\nsteps: [compress]", 2, 16, "YAML: "],
    [
      "model: a\ndata: { test: '-' }\nsteps: [compress]",
      2,
      15,
      "data: test: expected a file, got - (standard input)",
    ],
    [
      "model: a\ndata: { test: { file: x, part: 4/3 } }\nsteps: [compress]",
      2,
      32,
      "part: expected a part such as 1/3 or 1-2/3, got 4/3",
    ],
    [
      "model: a\ndata: { test: { part: 1/3 } }\nsteps: [compress]",
      2,
      15,
      "data: test: file: expected a path or sample, got none",
    ],
    [
      "model: a\ndata: { calibration: [{ file: a, count: 0 }] }\nsteps: [compress]",
      2,
      41,
      "count: expected a whole number of 1 or more, got 0",
    ],
    // Not YAML at all.
    ["model: a\nmodel: b\nsteps: [compress]", 2, 1, "YAML: Map keys must be unique"],
    ["model: 'a", 1, 10, "YAML: Missing closing 'quote"],
    ["model: a\n\tsteps: b", 2, 1, "YAML: "],
    ["model: a\n---\nmodel: b", 2, 1, "YAML: "],
  ])("refuses %j at its place", (text, line, column, message) => {
    const error = failure(text);
    expect(error).toMatchObject({ code: "invalid-recipe", kind: "input", line, column });
    expect(error.message).toContain(`readRecipe: r.yaml: line ${line}, column ${column}: `);
    expect(error.message).toContain(message);
  });

  it("whatever the text, it is read or refused with a place", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), fc.nat(200), (noise, at) => {
        const whole = "model: a\ndata: { test: t }\nsteps:\n  - prune: { sparsity: 0.5 }\n  - compress\n";
        const text = whole.slice(0, at) + noise + whole.slice(at);
        try {
          read(text);
        } catch (error) {
          expect(error).toBeInstanceOf(CompressionError);
          expect((error as CompressionError).line).toBeGreaterThan(0);
        }
      }),
    );
  });
});

it.each([
  [
    "more text than a recipe has",
    "# ".repeat(600_000),
    /length: expected at most 1000000 characters, got 1200000/,
  ],
  ["lists in lists", `model: a\nsteps: ${"[".repeat(100_000)}`, /YAML: /],
])("%s is a refusal of the recipe", (_, text, message) => {
  let error: unknown;
  try {
    read(text);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({
    code: "invalid-recipe",
    kind: "input",
    message: expect.stringMatching(message),
  });
});
