import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { openHfDirectory, writeHfDirectory } from "../../src/hf/node.js";

const root = mkdtempSync(join(tmpdir(), "hf-write-"));
afterAll(() => rmSync(root, { recursive: true }));
let path = "";
let next = 0;
beforeEach(() => {
  path = join(root, String(next++), "deep");
});

const content = {
  config: { model_type: "bert", id2label: { 0: "O", 1: "B-PER" }, vocab_size: 3 },
  tokenizerJson: { model: { type: "WordPiece", vocab: { "[PAD]": 0, a: 1, b: 2 } } },
  tokenizerConfig: { pad_token: "[PAD]", model_max_length: 16 },
};
const bytes = Uint8Array.of(1, 2, 3);
const models = new Map([["fp32" as const, [bytes]]]);

/** Every path below a folder, hidden ones included. */
const tree = (folder: string): string[] => readdirSync(folder, { recursive: true }).map(String).toSorted();

describe("writeHfDirectory", () => {
  it("writes further files, and leaves those alone that it does not know", async () => {
    const files = new Map([["vocab.txt", [bytes]]]);
    const written = await writeHfDirectory(path, { ...content, models, files });
    expect([...written.keys()]).toEqual([
      "vocab.txt",
      "onnx/model.onnx",
      "tokenizer.json",
      "tokenizer_config.json",
      "config.json",
    ]);
    writeFileSync(join(path, "notes.md"), "mine");
    chmodSync(join(path, "config.json"), 0o640);
    await writeHfDirectory(path, { ...content, models: new Map([["q8" as const, [bytes]]]) });
    expect(tree(path)).toEqual([
      "config.json",
      "notes.md",
      "onnx",
      "onnx/model.onnx",
      "onnx/model_quantized.onnx",
      "tokenizer.json",
      "tokenizer_config.json",
      "vocab.txt",
    ]);
    expect(statSync(join(path, "config.json")).mode & 0o777).toBe(0o640);
    expect([...(await openHfDirectory(path)).models.keys()]).toEqual(["fp32", "q8"]);
  });

  it("gives a new folder the mode that folders have here", async () => {
    const plain = join(root, "plain");
    mkdirSync(plain);
    await writeHfDirectory(path, { ...content, models });
    expect(statSync(path).mode).toBe(statSync(plain).mode);
  });

  it("leaves no folder behind when what is written is refused", async () => {
    let staged: string[] = [];
    const check = async (folder: string): Promise<void> => {
      staged = tree(folder);
      throw new Error("not this one");
    };
    await expect(writeHfDirectory(path, { ...content, models }, { check })).rejects.toThrow("not this one");
    expect(staged).toContain("onnx/model.onnx");
    expect(existsSync(join(path, ".."))).toBe(false);
  });

  it("changes no file of an existing folder when one cannot be written", async () => {
    await writeHfDirectory(path, { ...content, models });
    const before = tree(path);
    const changed = { ...content, config: { ...content.config, model_type: "electra" } };
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield bytes;
      throw new Error("interrupted");
    }
    const broken = new Map<"fp32" | "q8", Iterable<Uint8Array> | AsyncIterable<Uint8Array>>([
      ["fp32", [Uint8Array.of(9)]],
      ["q8", failing()],
    ]);
    await expect(writeHfDirectory(path, { ...changed, models: broken })).rejects.toThrow("interrupted");
    expect(tree(path)).toEqual(before);
    expect(readFileSync(join(path, "onnx/model.onnx"))).toEqual(Buffer.from(bytes));

    rmSync(join(path, "config.json"));
    mkdirSync(join(path, "config.json"));
    await expect(
      writeHfDirectory(path, { ...content, models: new Map([["fp32" as const, [Uint8Array.of(9)]]]) }),
    ).rejects.toMatchObject({
      code: "unwritable",
      message: `writeHfDirectory: ${join(path, "config.json")}: expected a regular file or a new one, got something else`,
    });
    expect(readFileSync(join(path, "onnx/model.onnx"))).toEqual(Buffer.from(bytes));
    expect(tree(path)).toEqual(before);
  });

  it.each(["../up", "config.json", "onnx/model.onnx", ".hidden", ""])(
    "refuses %j as a further file",
    async (name) => {
      const files = new Map([[name, [bytes]]]);
      await expect(writeHfDirectory(path, { ...content, models, files })).rejects.toMatchObject({
        code: "invalid-value",
        message: `writeHfDirectory: files: name: expected that of another file in the folder, got ${JSON.stringify(name)}`,
      });
      expect(existsSync(path)).toBe(false);
    },
  );
});
