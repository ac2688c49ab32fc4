import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readChunks, readFileMaybeCompressed, writeFileAtomic } from "../../src/archive/node.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "archive-"));
});
afterEach(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const large = Uint8Array.from({ length: 3_000_000 }, (_, index) => Math.imul(index, 2654435761) >>> 20);
const brotliOf = (bytes: Uint8Array): Buffer =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });

describe("writeFileAtomic", () => {
  it("writes small and large chunks in order, and tells size and hash", async () => {
    const chunks = [
      Uint8Array.of(1),
      large,
      new Uint8Array(0),
      Uint8Array.of(2, 3),
      large.subarray(5, 900_000),
      Uint8Array.of(4),
    ];
    const whole = Buffer.concat(chunks);
    const sha256 = createHash("sha256").update(whole).digest("hex");
    expect(await writeFileAtomic(at("a"), chunks)).toEqual({ bytes: whole.length, sha256 });
    expect(readFileSync(at("a")).equals(whole)).toBe(true);
    expect(readdirSync(folder)).toEqual(["a"]);
  });

  it("removes what dead processes left in the folder, and nothing of living ones", async () => {
    const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 6);
    const name = (pid: number): string => `.model.onnx.${host}-${pid}-0123abcd.tmp`;
    // Process ids end at 2^22 on Linux.
    const dead = name(99_999_999);
    const others = [
      name(process.ppid),
      ".model.onnx.000000-99999999-0123abcd.tmp",
      ".mine.tmp",
      "model.onnx.tmp",
    ];
    for (const file of [dead, ...others]) writeFileSync(at(file), "");
    mkdirSync(at(name(99_999_998)));
    await writeFileAtomic(at("new"), [Uint8Array.of(1)]);
    expect(readdirSync(folder).toSorted()).toEqual([...others, "new"].toSorted());
  });

  it("writes an empty file", async () => {
    expect((await writeFileAtomic(at("a"), [])).bytes).toBe(0);
    expect(statSync(at("a")).size).toBe(0);
  });

  it("replaces a file, keeping its mode and following a link", async () => {
    writeFileSync(at("real"), "old");
    chmodSync(at("real"), 0o640);
    symlinkSync(at("real"), at("link"));
    await writeFileAtomic(at("link"), [Uint8Array.of(65)]);
    expect(readFileSync(at("real"), "utf8")).toBe("A");
    expect(statSync(at("real")).mode & 0o777).toBe(0o640);
    expect(lstatSync(at("link")).isSymbolicLink()).toBe(true);
  });

  it("leaves the old file and no other when the source fails", async () => {
    writeFileSync(at("a"), "old");
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield large;
      expect(readdirSync(folder)).toHaveLength(2);
      throw new RangeError("from the source");
    };
    await expect(writeFileAtomic(at("a"), source())).rejects.toThrow(new RangeError("from the source"));
    expect(readFileSync(at("a"), "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["a"]);
  });

  it("removes the temporary file when the process exits in between", () => {
    const script = `
      import { writeFileAtomic } from "@nasty/formats/archive/node";
      await writeFileAtomic(${JSON.stringify(at("a"))}, (async function* () {
        yield new Uint8Array(2_000_000);
        process.exit(7);
      })());`;
    const { status } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      cwd: new URL("../..", import.meta.url),
    });
    expect(status).toBe(7);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("refuses a folder, a missing folder and a special file", async () => {
    mkdirSync(at("folder"));
    await expect(writeFileAtomic(at("folder"), [])).rejects.toMatchObject({
      code: "unwritable",
      message: `writeFileAtomic: ${at("folder")}: target: expected a regular file, got a folder`,
    });
    await expect(writeFileAtomic(at("none/a"), [])).rejects.toMatchObject({
      code: "unwritable",
      message: expect.stringContaining("expected a writable place, got ENOENT") as string,
    });
    await expect(writeFileAtomic("/dev/null", [])).rejects.toThrow(
      /expected a regular file, got a special file$/,
    );
  });
});

describe("readFileMaybeCompressed and readChunks", () => {
  const read = async (path: string): Promise<Buffer> => {
    const parts: Uint8Array[] = [];
    for await (const part of readChunks(path)) parts.push(part);
    return Buffer.concat(parts);
  };

  it("read plain, gzip and brotli files alike", async () => {
    writeFileSync(at("plain"), large);
    writeFileSync(at("a.gz"), gzipSync(large));
    writeFileSync(at("gzip-by-its-bytes"), gzipSync(large));
    writeFileSync(at("a.br"), brotliOf(large));
    for (const name of readdirSync(folder)) {
      expect(Buffer.from(await readFileMaybeCompressed(at(name))).equals(large)).toBe(true);
      expect((await read(at(name))).equals(large)).toBe(true);
    }
  });

  it("read an empty file", async () => {
    writeFileSync(at("empty"), "");
    expect(await readFileMaybeCompressed(at("empty"))).toHaveLength(0);
    expect(await read(at("empty"))).toHaveLength(0);
  });

  it("give a plain file at the start of a buffer of its own, so that views of it are aligned", async () => {
    writeFileSync(at("plain"), "12345678");
    const bytes = await readFileMaybeCompressed(at("plain"));
    expect([bytes.byteOffset, bytes.buffer.byteLength]).toEqual([0, 8]);
  });

  it("shows a plain file once, in order, and nothing of a compressed one", async () => {
    // More than one part.
    const plain = Buffer.concat(Array.from({ length: 7 }, () => large));
    writeFileSync(at("a"), plain);
    writeFileSync(at("a.gz"), gzipSync(large));
    const seen: Uint8Array[] = [];
    const onBytes = (part: Uint8Array) => void seen.push(part.slice());
    await readFileMaybeCompressed(at("a"), { onBytes });
    expect(seen.length).toBeGreaterThan(1);
    expect(Buffer.concat(seen).equals(plain)).toBe(true);
    seen.length = 0;
    await readFileMaybeCompressed(at("a.gz"), { onBytes });
    expect(seen).toEqual([]);
  });

  it("name the file and what is wrong", async () => {
    writeFileSync(at("fake.gz"), "hello");
    writeFileSync(at("cut.gz"), gzipSync(large).subarray(0, 5000));
    writeFileSync(at("cut.br"), brotliOf(large).subarray(0, 500));
    writeFileSync(at("bomb.gz"), gzipSync(new Uint8Array(5_000_000)));
    const errors = [
      ["fake.gz", "magic", "magic: expected 1f 8b 08 of gzip, got 68 65 6c 6c"],
      ["cut.gz", "compression", "expected whole gzip data, got unexpected end of file"],
      ["cut.br", "compression", "expected whole brotli data, got unexpected end of file"],
      [
        "bomb.gz",
        "limit",
        "bomb.gz: output size: expected at most 4000000 bytes, got more; unpack the file first",
      ],
      ["none", "not-found", "expected a readable file, got no such file"],
      ["", "unreadable", "expected a file, got a folder"],
    ] as const;
    for (const [name, code, part] of errors) {
      const error: unknown = await readFileMaybeCompressed(at(name), { maxBytes: 4_000_000 }).catch(
        (e: unknown) => e,
      );
      expect(error).toMatchObject({ kind: "input", code, fields: { path: at(name) } });
      expect((error as Error).message).toMatch(`readFileMaybeCompressed: ${at(name)}: `);
      expect((error as Error).message).toContain(part);
    }
  });
});
