import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createRegistry, equals } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import {
  FormatError,
  ModelProtoSchema,
  parseModel,
  serializeModel,
  tensorFromProto,
  tensorsOf,
} from "../../src/onnx/index.js";
import { errorOf } from "./wire.js";

const corpus = fileURLToPath(new URL("../corpus/onnx/", import.meta.url));

function filesOf(folder: string): string[] {
  const files = readdirSync(corpus + folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".onnx"))
    .map((entry) => `${folder}/${entry.name}`);
  expect(files.length).toBeGreaterThan(0);
  return files;
}

describe("corpus", () => {
  it.each(filesOf("valid"))("%s comes back byte for byte", (file) => {
    const bytes = readFileSync(corpus + file);
    const model = parseModel(bytes);
    for (const { tensor } of tensorsOf(model)) tensorFromProto(tensor);
    expect(Buffer.compare(serializeModel(model), bytes)).toBe(0);
  });

  it.each(filesOf("valid/reordered"))("%s comes back with the same content", (file) => {
    const bytes = readFileSync(corpus + file);
    const model = parseModel(bytes);
    const written = serializeModel(model);
    expect(Buffer.compare(written, bytes)).not.toBe(0);
    expect(
      equals(ModelProtoSchema, parseModel(written), model, { registry: createRegistry(), unknown: true }),
    ).toBe(true);
  });

  const codes = readdirSync(`${corpus}invalid`);
  it.each(codes.flatMap((code) => filesOf(`invalid/${code}`)))("%s is refused", (file) => {
    const error = errorOf(() => parseModel(readFileSync(corpus + file)));
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).code).toBe(file.split("/")[1]);
    expect(error.message).toMatch(/^parseModel: .*: expected .*, got /);
  });
});
