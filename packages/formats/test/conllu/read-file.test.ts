import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { readConlluFile } from "../../src/conllu/node.js";

const folder = mkdtempSync(join(tmpdir(), "conllu-"));
afterAll(() => rmSync(folder, { recursive: true }));
const text = "1\ta\ta\tX\t_\t_\t0\troot\t_\t_\n\n";

async function count(path: string): Promise<number> {
  let sentences = 0;
  for await (const { rows } of readConlluFile(path)) sentences += rows.length;
  return sentences;
}

describe("readConlluFile", () => {
  it("reads a file longer than one chunk", async () => {
    const path = join(folder, "long.conllu");
    writeFileSync(path, text.repeat(20_000));
    expect(await count(path)).toBe(20_000);
  });

  it("reads a compressed file", async () => {
    const path = join(folder, "a.conllu.gz");
    writeFileSync(path, gzipSync(text.repeat(3)));
    expect(await count(path)).toBe(3);
  });

  it("names file and line", async () => {
    const path = join(folder, "bad.conllu");
    writeFileSync(path, `${text}1\ta\n`);
    await expect(count(path)).rejects.toMatchObject({
      code: "column-count",
      message: `readConllu: ${path}: line 3: column count: expected 10, got 2`,
    });
  });

  it("names a file that is not there", async () => {
    const path = join(folder, "none.conllu");
    await expect(count(path)).rejects.toMatchObject({
      code: "not-found",
      message: `readChunks: ${path}: expected a readable file, got no such file`,
    });
  });

  it("reads standard input as -", () => {
    const script = `
      import { readConlluFile } from "@nasty/formats/conllu/node";
      let rows = 0;
      for await (const sentence of readConlluFile("-")) rows += sentence.rows.length;
      process.stdout.write(String(rows));`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      cwd: new URL("../..", import.meta.url),
      input: text.repeat(5000),
      encoding: "utf8",
    });
    expect([stdout, stderr]).toEqual(["5000", ""]);
  });
});
