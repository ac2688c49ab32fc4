import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Tensor } from "@nasty/core";
import { tensorFromProto } from "@nasty/formats/onnx";
import { writeModelFile } from "@nasty/formats/onnx/node";
import { withTagger } from "@nasty/taggers";
import { openTagger } from "@nasty/taggers/node";
import { beforeAll, describe, expect, it } from "vitest";
import type { DistillTransformerOptions } from "../../src/distillation/distill-transformer.js";
import { distill } from "../../src/distillation/distill.js";
import { copiedLayers, makeStudent } from "../../src/distillation/student.js";
import { teacherTargets } from "../../src/distillation/targets.js";
import { fineTune, type FineTuned } from "../../src/fine-tuning/fine-tune.js";
import { writeFineTuned } from "../../src/fine-tuning/write-fine-tuned.js";
import { modelTypes, tinyCheckpoint } from "../encoders/tiny-checkpoint.js";
import { toyDirectory, toySentences } from "../fine-tuning/toy.js";

const training = { batchSize: 2, learningRate: 1e-2, dropout: 0, seed: 4 };
const data = { train: toySentences, validation: toySentences.slice(0, 4) };
let directory: string;
let teacher: FineTuned;

beforeAll(async () => {
  directory = await toyDirectory();
  teacher = await fineTune(directory, data, "pos", { ...training, epochs: 15 });
  await writeFineTuned(directory, teacher);
});

const weight = ({ model }: FineTuned, name: string): number[] => {
  const proto = model.graph?.initializer.find((tensor) => tensor.name === name);
  if (proto === undefined) throw new Error(`no ${name}`);
  return Array.from(tensorFromProto(proto).data as Float32Array);
};

describe("distillation", () => {
  it("makes a student of half the layers that starts from the teacher's", async () => {
    const still = {
      ...training,
      data,
      epochs: 1,
      learningRate: 1e-30,
      weightDecay: 0,
    };
    const fresh = await distill(teacher, still);
    expect(fresh.config["num_hidden_layers"]).toBe(1);
    expect(fresh.warnings).toEqual([]);
    expect(fresh.parameters.student).toBeLessThan(fresh.parameters.teacher);
    for (const name of ["bert.encoder.layer.0.output.dense.weight", "classifier.weight"])
      expect(weight(fresh, name)).toEqual(weight(teacher, name));
    const student = await distill(directory, { ...training, data, epochs: 15 });
    expect(student.bestMetric).toBe(1);
    await writeFineTuned(`${directory}/student`, student);
    const tagger = await openTagger(`${directory}/student`);
    expect(tagger.labels).toEqual(teacher.settings.labels);
    await tagger.close();
  });

  it("makes a student of a model file that carries its tagger", async () => {
    const path = `${directory}/alone/teacher.onnx`;
    await mkdir(dirname(path));
    await writeModelFile(path, await withTagger(teacher.model, teacher.settings));
    const student = await distill(path, {
      ...training,
      data,
      epochs: 1,
      learningRate: 1e-30,
      weightDecay: 0,
    });
    if (student.kind !== "transformer") throw new Error(student.kind);
    expect(student.config["num_hidden_layers"]).toBe(1);
    expect(weight(student, "classifier.weight")).toEqual(weight(teacher, "classifier.weight"));
    await writeFineTuned(`${directory}/student-of-a-file`, student);
    await (await openTagger(`${directory}/student-of-a-file`)).close();
  });

  it("learns from the teacher alone on sentences without labels", async () => {
    const only = { train: [toySentences[0] as (typeof toySentences)[0]], validation: data.validation };
    const student = await distill(teacher, {
      ...training,
      data: only,
      unlabelled: toySentences.map(({ words }) => words),
      alpha: 1,
      by: "width",
      epochs: 40,
      learningRate: 3e-2,
    });
    expect(student.config["hidden_size"]).toBe(4);
    expect(student.bestMetric).toBe(1);
  });

  it.each(["depth", "width"] as const)("matches hidden states too, by %s", async (by) => {
    const losses: number[] = [];
    const student = await distill(teacher, {
      ...training,
      data,
      by,
      hidden: 1,
      epochs: 8,
      onEvent: (event) => {
        if (event.event === "epoch") losses.push(event.loss);
      },
    });
    expect(losses.at(-1)).toBeLessThan(losses[0] as number);
    expect(student.model.graph?.initializer.some(({ name }) => name.startsWith("distillation"))).toBe(false);
  });

  it("averages teachers", async () => {
    const other = { ...teacher, settings: { ...teacher.settings, labels: ["VERB", "DET", "NOUN"] } };
    const options = { labels: ["DET", "NOUN", "VERB"], temperature: 2, threads: 1 };
    const sentences = [["the", "dog"]];
    const share = (targets: readonly Float32Array[]): number[] =>
      Array.from(targets[0] ?? [], (x) => Math.exp(x / 2));
    const [a, b] = [
      share(await teacherTargets([teacher], sentences, options)),
      share(await teacherTargets([other], sentences, options)),
    ];
    const both = share(await teacherTargets([teacher, other], sentences, options));
    both.forEach((value, i) => expect(value).toBeCloseTo(((a[i] as number) + (b[i] as number)) / 2, 5));
    // The other teacher's labels stand in another order: its first score is for VERB.
    expect(b[2]).toBeCloseTo(a[0] as number, 6);
    expect(a.slice(0, 3).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
  });

  it("warns of a student that is not smaller", async () => {
    const result = await distill(teacher, { ...training, data, studentSize: 2, epochs: 1 });
    expect(result.config["num_hidden_layers"]).toBe(4);
    expect(result.warnings[0]).toMatch(/the student has \d+ parameters, its teacher \d+: it is not smaller/);
  });
});

describe("what cannot be distilled", () => {
  it("a teacher with other labels than the data's, both sets named", async () => {
    const train = [{ words: ["a"], labels: ["ADV"] }];
    await expect(distill(teacher, { ...training, data: { train } })).rejects.toMatchObject({
      code: "teacher",
      message:
        "distill: teacher: labels: expected those of the training sentences (ADV), got DET, NOUN, VERB",
    });
  });

  it("two teachers with different labels, both sets named", async () => {
    const other = { ...teacher, settings: { ...teacher.settings, labels: ["DET", "NOUN", "X"] } };
    await expect(distill([teacher, other], { ...training, data })).rejects.toMatchObject({
      code: "teacher",
      message:
        "distill: teacher 2: labels: expected those of the first teacher (DET, NOUN, VERB), got DET, NOUN, X",
    });
  });

  it.each<[Partial<DistillTransformerOptions>, string, string]>([
    [{ studentSize: 0 }, "option", "distill: studentSize: expected a positive number, got 0"],
    [{ temperature: 0 }, "option", "distill: temperature: expected a positive number, got 0"],
    [{ alpha: 2 }, "option", "distill: alpha: expected a number in [0, 1], got 2"],
    [{ data: { train: [] } }, "empty", "distill: train: labelled words"],
  ])("%o", async (change, code, message) => {
    await expect(distill(teacher, { ...training, data, ...change })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
  });

  it("no teacher, a path that is none, one whose weights have other names", async () => {
    const noisy = { ...training, data, noise: { share: 0.5 } };
    await expect(distill(teacher, noisy)).rejects.toThrow("distill: noise: expected a student");
    await expect(distill([], { data })).rejects.toMatchObject({ code: "teacher" });
    await expect(distill("nowhere", { data })).rejects.toMatchObject({ code: "teacher" });
    const { tensors: _, ...bare } = teacher;
    await expect(distill(bare, { data })).rejects.toMatchObject({ code: "teacher" });
  });
});

it("copies evenly spaced layers, the first and the last among them", () => {
  expect(copiedLayers(12, 6)).toEqual([0, 2, 4, 7, 9, 11]);
  expect(copiedLayers(4, 2)).toEqual([0, 3]);
  expect(copiedLayers(2, 1)).toEqual([0]);
});

it.each(modelTypes)("makes a student of %s by depth and by width", (modelType) => {
  const { config, tensors } = tinyCheckpoint(modelType);
  for (const by of ["depth", "width"] as const) {
    const student = makeStudent(config, tensors, { size: 0.5, by, seed: 1 });
    const count = (all: ReadonlyMap<string, Tensor>): number =>
      [...all]
        .filter(([name]) => !/pooler|position_ids/.test(name))
        .reduce((sum, [, { data }]) => sum + data.length, 0);
    expect(count(student.tensors)).toBeLessThan(count(tensors));
  }
});
