import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBinary, openWorkshop, type Workshop } from "./workshop.js";

const binary = fileURLToPath(new URL("../bin/nasty.js", import.meta.url));

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  await shop.write("long.txt", "the cat sleeps .\n\n".repeat(5000));
});
afterAll(() => shop.remove());

/** Runs with these files as standard output and standard error. */
function into(stdout: string, args: readonly string[], stderr?: string) {
  return new Promise<{ code: number | null; said: string }>((resolve, reject) => {
    const child = spawn(process.execPath, [binary, ...args], {
      cwd: shop.folder,
      stdio: ["ignore", openSync(stdout, "w"), stderr === undefined ? "pipe" : openSync(stderr, "w")],
    });
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, said }));
  });
}

describe("a full disk", () => {
  test.each([
    ["the help", ["--help"]],
    ["a result", ["inspect", "--model", "pos"]],
    ["a result as JSON", ["inspect", "--model", "pos", "--json"]],
    ["a stream", ["tag", "--model", "pos", "long.txt"]],
    ["a stream as JSON", ["tag", "--model", "pos", "--json", "long.txt"]],
  ])("under %s is one line and exit code 3", async (_, args) => {
    const { code, said } = await into(
      "/dev/full",
      [...args, "--quiet"].slice(0, args[0] === "--help" ? 1 : undefined),
    );
    expect(said).toBe(
      "nasty: standard output: the disk is full; free some space and run again (nothing was replaced)\n",
    );
    expect(code).toBe(3);
  });

  test("under standard error changes nothing", async () => {
    expect(await into("/dev/null", ["inspect", "--model", "none"], "/dev/full")).toMatchObject({ code: 3 });
    expect(await into("/dev/null", ["tag", "--model", "pos", "long.txt"], "/dev/full")).toMatchObject({
      code: 0,
    });
  });
});

test("a reader that has enough ends the command in silence", async () => {
  const child = startBinary(shop.folder, ["tag", "--model", "pos", "long.txt"]);
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdout.once("data", () => child.stdout.destroy());
  expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0);
  expect(stderr).toBe("");
});

describe("a failure under --json is a document", () => {
  const failed = async (args: readonly string[]) => {
    const { code, stdout, stderr } = await shop.nasty([...args, "--json"]);
    const { error } = JSON.parse(stdout);
    expect(error.exitCode).toBe(code);
    return { error, stderr };
  };

  test.each([
    ["an unknown option", ["tag", "--modle", "pos"], { code: "usage", exitCode: 2 }],
    ["an unknown command", ["tagg"], { code: "usage", exitCode: 2 }],
    ["a missing option", ["eval", "--model", "pos"], { code: "usage", exitCode: 2 }],
    ["options that do not fit", ["quantize"], { code: "usage", exitCode: 2 }],
    ["no file", ["inspect", "--model", "none.onnx"], { code: "not-found", path: "none.onnx", exitCode: 3 }],
    ["no text", ["tag", "--model", "pos", "none.txt"], { code: "not-found", path: "none.txt", exitCode: 3 }],
  ])("%s", async (_, args, expected) => {
    const { error, stderr } = await failed(args);
    expect(error).toMatchObject(expected);
    expect(error.message).not.toMatch(/\n|^error: /);
    expect(stderr).toContain(error.message.split("(")[0].trim());
  });

  test("with the place in the input", async () => {
    await shop.write("bad.conllu", "1\tThe\t_\tDET\n\n");
    expect((await failed(["eval", "--model", "pos", "--test", "bad.conllu"])).error).toMatchObject({
      code: "column-count",
      line: 1,
      exitCode: 3,
    });
  });

  test("but a gate's figures are the document, and a text without words is a result", async () => {
    const args = ["quantize", "--model", "pos", "--mode", "dynamic", "--output", "q.onnx"];
    const gate = ["--target-accuracy-loss", "0", "--validation", "test.conllu"];
    const { stdout } = await shop.nasty([...args, ...gate, "--json"]);
    expect(JSON.parse(stdout).gate).toMatchObject({ target: 0 });
    expect((await shop.nasty(["tag", "--model", "pos", "--json"])).stdout).toBe("[]\n");
  });
});

test("messages begin with the user's file, not with a function of ours", async () => {
  await shop.write("none.onnx.br", "text");
  for (const args of [
    ["inspect", "--model", "none.onnx.br"],
    ["quantize", "--model", "nowhere.onnx", "--mode", "dynamic", "--output", "o.onnx"],
  ]) {
    expect(await shop.refused(3, args)).toMatch(/^nasty: (?:none\.onnx\.br|nowhere\.onnx): /);
  }
});
