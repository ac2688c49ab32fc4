import { brotliCompressSync, gzipSync } from "node:zlib";
import { serializeModel } from "@nasty/formats/onnx";
import { afterEach, describe, expect, test, vi } from "vitest";
import { settingsFromHf, type Tagger, withTagger } from "../../src/index.js";
import {
  loadModel,
  loadTagger,
  openTagger,
  type DownloadProgress,
  type TaggerSource,
} from "../../src/web/index.js";
import { parseModelConfig, parseTokenizerConfig } from "@nasty/formats/hf";
import { tinyModel } from "../transformer/tiny-model.js";
import { wordPiece } from "../transformer/tiny-tokenizers.js";
import { serveFolder, type Served, type ServedFolder } from "./served-folder.js";

const config = JSON.stringify({
  model_type: "bert",
  id2label: { 0: "O", 1: "B-PER", 2: "I-PER" },
  max_position_embeddings: 32,
  vocab_size: 8,
});
const tokenizer = wordPiece(["a", "b", "c"]);
const tokenizerConfig = JSON.stringify({ pad_token: "[PAD]" });
const small = {
  "config.json": config,
  "tokenizer.json": JSON.stringify(tokenizer),
  "tokenizer_config.json": tokenizerConfig,
};
const model = tinyModel({ vocabulary: 8, labels: 3 });
const bare = serializeModel(model);
const carrying = serializeModel(
  await withTagger(
    model,
    settingsFromHf({
      config: parseModelConfig(config),
      tokenizerJson: tokenizer,
      tokenizerConfig: parseTokenizerConfig(tokenizerConfig),
    }),
  ),
);
// Ids 5, 6, 7 mod 3.
const expected = ["I-PER", "O", "B-PER"];

async function labelsOf(tagger: Tagger): Promise<readonly string[]> {
  try {
    for await (const labels of tagger.tag([["a", "b", "c"]])) return labels;
    return [];
  } finally {
    await tagger.close();
  }
}

const tagWith = async (source: TaggerSource, variant?: string) =>
  labelsOf(await openTagger(source, variant === undefined ? {} : { variant }));

let served: ServedFolder | undefined;
afterEach(async () => {
  vi.unstubAllGlobals();
  await served?.close();
  served = undefined;
});

const serve = async (files: Readonly<Record<string, Uint8Array | string | Served>>): Promise<string> => {
  served = await serveFolder(files);
  return served.base;
};

/** The Cache API as far as it is used, in memory. */
function stubCaches(): Map<string, Response> {
  const kept = new Map<string, Response>();
  vi.stubGlobal("caches", {
    open: async () => ({
      match: async (url: string) => kept.get(url)?.clone(),
      put: async (url: string, response: Response) => void kept.set(url, response),
    }),
  });
  return kept;
}

describe("what a tagger is opened from", () => {
  test("the address of a model file that carries its tagger, plain, gzip and brotli", async () => {
    const base = await serve({
      "m.onnx": carrying,
      "m.onnx.gz": gzipSync(carrying),
      "m.onnx.br": brotliCompressSync(carrying),
      // Some servers send packed files as packed for the way, and the browser unpacks them.
      "way.onnx.br": { bytes: brotliCompressSync(carrying), headers: { "content-encoding": "br" } },
      "silent.onnx.br": carrying,
    });
    for (const name of [
      "m.onnx",
      "m.onnx.gz",
      "m.onnx.br",
      "way.onnx.br",
      "silent.onnx.br",
      "m.onnx.br?key=1",
    ]) {
      expect(await tagWith(base + name), name).toEqual(expected);
    }
    expect(await tagWith(new URL(`${base}m.onnx`))).toEqual(expected);
  });

  test("a model file with a bundler's hash in its name, and nothing else is asked for", async () => {
    const base = await serve({ "m.onnx-5f3c.gz": gzipSync(carrying) });
    expect(await tagWith(`${base}m.onnx-5f3c.gz`)).toEqual(expected);
    expect(served?.asked).toEqual(["m.onnx-5f3c.gz"]);
  });

  test("a Hugging Face directory at an address, with variants; and a bare model file inside it", async () => {
    const base = await serve({
      ...Object.fromEntries(Object.entries(small).map(([name, text]) => [`org/model/${name}`, text])),
      "org/model/onnx/model.onnx": bare,
      "org/model/onnx/model_quantized.onnx.gz": gzipSync(bare),
    });
    expect(await tagWith(`${base}org/model/`)).toEqual(expected);
    expect(await tagWith(`${base}org/model`)).toEqual(expected);
    expect(await tagWith(`${base}org/model/`, "q8")).toEqual(expected);
    expect(await tagWith(`${base}org/model/onnx/model.onnx`)).toEqual(expected);
    await expect(tagWith(`${base}org/model/`, "q4")).rejects.toMatchObject({
      code: "not-found",
      message: expect.stringContaining("expected onnx/model_q4.onnx or model_q4.onnx, got neither"),
    });
    await expect(tagWith(`${base}org/model/`, "Q8")).rejects.toThrow("expected one of fp32, fp16, q8");
  });

  test("a file, bytes, a buffer, and the files of a folder", async () => {
    expect(await tagWith(new Blob([new Uint8Array(carrying)]))).toEqual(expected);
    expect(await tagWith(new File([brotliCompressSync(carrying)], "m.onnx.br"))).toEqual(expected);
    expect(await tagWith(carrying)).toEqual(expected);
    expect(
      await tagWith(gzipSync(carrying).buffer.slice(0) as ArrayBuffer).catch(() => "pooled"),
    ).toBeDefined();
    expect(await tagWith(new Uint8Array(carrying).buffer)).toEqual(expected);
    const files = new Map<string, Blob>([
      ...Object.entries(small).map(([name, text]): [string, Blob] => [`mine/${name}`, new Blob([text])]),
      ["mine/onnx/model.onnx", new Blob([new Uint8Array(bare)])],
      ["mine/onnx/model_quantized.onnx", new Blob([new Uint8Array(bare)])],
    ]);
    expect(await tagWith(files)).toEqual(expected);
    expect(await tagWith(files, "q8")).toEqual(expected);
    files.delete("mine/onnx/model.onnx");
    expect(await tagWith(files)).toEqual(expected);
  });

  test("a model without a tagger is refused, and read by loadModel with the reason", async () => {
    await expect(openTagger(bare)).rejects.toMatchObject({ code: "tokenizer-missing" });
    const loaded = await loadModel(bare);
    expect(loaded.settings).toBeUndefined();
    expect(loaded.reason).toContain("config.json and tokenizer.json");
    expect((await loadModel(carrying)).settings?.labels).toEqual(["O", "B-PER", "I-PER"]);
    await expect(loadModel(new TextEncoder().encode("<html>no</html>"))).rejects.toMatchObject({
      name: "FormatError",
    });
  });

  test("nothing at the address, a server that refuses, and one that ends early", async () => {
    const base = await serve({
      "cut.onnx": { bytes: carrying, cutAt: 100 },
      "damaged.onnx.br": brotliCompressSync(carrying).subarray(0, 200),
    });
    await expect(openTagger(`${base}none.onnx`)).rejects.toMatchObject({ code: "not-found" });
    await expect(openTagger(`${base}folder/`)).rejects.toMatchObject({ code: "not-found" });
    await expect(openTagger(`${base}cut.onnx`)).rejects.toMatchObject({
      code: "download",
      message: expect.stringContaining("expected the whole file"),
    });
    await expect(openTagger(`${base}damaged.onnx.br`)).rejects.toMatchObject({ code: "compression" });
    await served?.close();
    await expect(openTagger(`${base}m.onnx`)).rejects.toMatchObject({ code: "download" });
  });
});

describe("downloads", () => {
  test("say how far they are", async () => {
    const base = await serve({ "m.onnx": carrying });
    const seen: DownloadProgress[] = [];
    await labelsOf(await openTagger(`${base}m.onnx`, { onProgress: (progress) => seen.push(progress) }));
    expect(seen.at(-1)).toEqual({
      url: `${base}m.onnx`,
      loaded: carrying.length,
      total: carrying.length,
      isCached: false,
    });
  });

  test("are kept once the tagger is open, and work without the server then", async () => {
    const kept = stubCaches();
    const files = {
      ...small,
      "onnx/model.onnx.br": brotliCompressSync(bare),
      "damaged.onnx": bare.subarray(9),
    };
    const base = await serve(files);
    await expect(openTagger(`${base}damaged.onnx`)).rejects.toThrow();
    expect(kept.size).toBe(0);
    expect(await tagWith(`${base}onnx/model.onnx.br`)).toEqual(expected);
    expect([...kept.keys()].sort()).toEqual(
      ["config.json", "onnx/model.onnx.br", "tokenizer.json", "tokenizer_config.json"].map(
        (name) => base + name,
      ),
    );
    const before = served?.asked.filter((path) => path.endsWith(".br")).length;
    expect(await tagWith(`${base}onnx/model.onnx.br`)).toEqual(expected);
    expect(served?.asked.filter((path) => path.endsWith(".br")).length).toBe(before);
    await labelsOf(await openTagger(`${base}onnx/model.onnx.br`, { cache: "reload" }));
    await labelsOf(await openTagger(`${base}onnx/model.onnx.br`, { cache: "none" }));
    expect(served?.asked.filter((path) => path.endsWith(".br")).length).toBe((before as number) + 2);
  });

  test("end with the signal's reason", async () => {
    const base = await serve({ "m.onnx": carrying });
    const reason = new Error("no longer wanted");
    await expect(openTagger(`${base}m.onnx`, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const opening = openTagger(`${base}m.onnx`, {
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    });
    await expect(opening).rejects.toBe(reason);
  });
});

test("settings are found without a session, with the labels as they are said to be", async () => {
  const { settings, file, bytes } = await loadTagger(gzipSync(carrying), { scheme: "IOB2" });
  expect(settings).toMatchObject({ kind: "transformer", scheme: "IOB2" });
  expect(file.length).toBeLessThan(bytes.length);
});
