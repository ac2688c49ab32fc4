import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const home = mkdtempSync(join(tmpdir(), "nasty-home-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Opens a session in a process of its own with an empty home folder. */
function openedIn(folder: string, code: string): readonly string[] {
  const { ORT_DISABLE_TELEMETRY: _, ...env } = process.env;
  execFileSync(process.execPath, ["--input-type=module", "-e", code], {
    cwd: new URL("..", import.meta.url),
    env: { ...env, HOME: folder, XDG_CACHE_HOME: join(folder, ".cache") },
  });
  return readdirSync(folder);
}

const model = `
import { makeGraph, makeModel, makeNode, makeValueInfo } from "@nasty/formats/onnx";
const one = [makeValueInfo("x", "float32", [1])];
const model = makeModel(makeGraph("g", {
  nodes: [makeNode("Identity", ["x"], ["y"])],
  inputs: one,
  outputs: [makeValueInfo("y", "float32", [1])],
}));`;

describe("telemetry of ONNX Runtime", () => {
  it("is off: a session leaves nothing in the home folder", () => {
    const session = `${model}
const { openSession } = await import("@nasty/runtime");
await (await openSession(model)).close();`;
    expect(openedIn(home, session)).toEqual([]);
  });
});
