import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { isHfDirectory, openHfDirectory, readUnchanged, writeHfDirectory } from "../../src/hf/node.js";

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

  it("keeps subfolders, links, modes and what is written meanwhile, and leaves nothing beside the folder", async () => {
    await writeHfDirectory(path, { ...content, models });
    mkdirSync(join(path, "notes/deep"), { recursive: true });
    writeFileSync(join(path, "notes/deep/a.txt"), "a");
    symlinkSync("notes/deep/a.txt", join(path, "link.txt"));
    chmodSync(path, 0o750);
    const check = async (): Promise<void> => writeFileSync(join(path, "late.txt"), "late");
    await writeHfDirectory(
      path,
      { ...content, models: new Map([["fp32" as const, [Uint8Array.of(7)]]]) },
      { check },
    );
    expect(readFileSync(join(path, "onnx/model.onnx"))[0]).toBe(7);
    expect(readFileSync(join(path, "link.txt"), "utf8")).toBe("a");
    expect(lstatSync(join(path, "link.txt")).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(path, "late.txt"), "utf8")).toBe("late");
    expect(statSync(path).mode & 0o777).toBe(0o750);
    expect(readdirSync(join(path, ".."))).toEqual(["deep"]);
  });

  it("gives the old folder its name back where a process died between two renames", async () => {
    await writeHfDirectory(path, { ...content, models });
    const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 6);
    const left = (pid: number, kind: string): string =>
      join(path, "..", `.deep.${host}-${pid}-0123abcd.${kind}`);
    renameSync(path, left(99_999_999, "old"));
    mkdirSync(left(99_999_999, "tmp"));
    expect(await isHfDirectory(path)).toBe(true);
    expect([...(await openHfDirectory(path)).models.keys()]).toEqual(["fp32"]);
    // A living process is in the middle of it: its folder is waited for.
    renameSync(path, left(process.ppid, "old"));
    setTimeout(() => renameSync(left(process.ppid, "old"), path), 50);
    expect([...(await openHfDirectory(path)).models.keys()]).toEqual(["fp32"]);
    await writeHfDirectory(path, { ...content, models });
    expect(readdirSync(join(path, ".."))).toEqual(["deep"]);
  });

  it("reads again where the folder was swapped while it was read", async () => {
    await writeHfDirectory(path, { ...content, models });
    let times = 0;
    const result = await readUnchanged(path, async () => {
      const first = readFileSync(join(path, "config.json"), "utf8");
      if (times++ === 0)
        await writeHfDirectory(path, { ...content, config: { ...content.config, vocab_size: 4 }, models });
      return [first, readFileSync(join(path, "config.json"), "utf8")];
    });
    expect(times).toBe(2);
    expect(result[0]).toBe(result[1]);
  });

  it("writes into a folder that cannot be renamed file by file, and puts all back when one is in the way", async () => {
    await writeHfDirectory(path, { ...content, models });
    // A subfolder that is a link is one such: its target is what is meant.
    renameSync(join(path, "onnx"), join(path, "..", "elsewhere"));
    symlinkSync("../elsewhere", join(path, "onnx"));
    await writeHfDirectory(path, { ...content, models: new Map([["fp32" as const, [Uint8Array.of(8)]]]) });
    expect(readFileSync(join(path, "../elsewhere/model.onnx"))[0]).toBe(8);
    expect(lstatSync(join(path, "onnx")).isSymbolicLink()).toBe(true);
    expect([...(await openHfDirectory(path)).models.keys()]).toEqual(["fp32"]);
    expect(readdirSync(path).filter((name) => name.startsWith("."))).toEqual([]);
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
