import * as core from "@tensorflow/tfjs-core";
import { describe, expect, it, vi } from "vitest";
import { type ImportModule, loadBackend } from "../../../src/engine/backend/backend.js";
import { repairUtil } from "../../../src/engine/backend/repair-util.js";
import { TfjsError } from "../../../src/tfjs-error.js";

const real: ImportModule = (name) => import(name);

/** What Node says about a package that is not installed. */
const absent = (name: string): Error =>
  Object.assign(new Error(`Cannot find package '${name}' imported from index.js`), {
    code: "ERR_MODULE_NOT_FOUND",
  });

/** An install without some packages, and with others that do not load. */
const install =
  (missing: RegExp, broken: Readonly<Record<string, Error>> = {}): ImportModule =>
  async (name) => {
    if (broken[name] !== undefined) throw broken[name];
    if (missing.test(name)) throw absent(name);
    return real(name);
  };

const addonMissing = new Error(
  "The Node.js native addon module (tfjs_binding.node) can not be found at path: lib/napi-v8. \nPlease run command …",
);
const native = /tfjs-node/;

async function problem(work: Promise<unknown>): Promise<TfjsError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(TfjsError);
  return error as TfjsError;
}

describe("loadBackend", () => {
  // First, since TensorFlow.js prints its advertisement once.
  it("prints nothing", async () => {
    const streams = [vi.spyOn(console, "warn"), vi.spyOn(console, "log"), vi.spyOn(console, "info")];
    const { tf } = await loadBackend("cpu", install(native));
    tf.tidy(() => void tf.add(1, 2).dataSync());
    for (const stream of streams) expect(stream).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  it("takes WebAssembly where the native library is not installed, without a word about it", async () => {
    const { name, notes, tf } = await loadBackend(undefined, install(native));
    expect(name).toBe("wasm");
    expect(notes).toEqual([]);
    expect(tf.getBackend()).toBe("wasm");
  });

  it("takes JavaScript where there is no WebAssembly backend either, and activates it again when another took over", async () => {
    const { name, tf, activate } = await loadBackend(undefined, install(/tfjs-node|wasm/));
    expect(name).toBe("cpu");
    expect(tf.getBackend()).toBe("cpu");
    await loadBackend("wasm", install(native));
    expect(tf.getBackend()).toBe("wasm");
    await activate();
    expect(tf.getBackend()).toBe("cpu");
  });

  it("goes on without a native library that lacks its addon, and says why", async () => {
    const broken = { "@tensorflow/tfjs-node": addonMissing };
    const { name, notes } = await loadBackend(undefined, install(/tfjs-node-gpu/, broken));
    expect(name).toBe("wasm");
    expect(notes).toEqual([
      'tensorflowEngine: backend node: expected @tensorflow/tfjs-node to load, got "The Node.js native addon module (tfjs_binding.node) can not be found at path: lib/napi-v8. "',
    ]);
  });

  it("fails for a native library that is asked for and lacks its addon", async () => {
    const broken = { "@tensorflow/tfjs-node": addonMissing };
    const error = await problem(loadBackend("node", install(/tfjs-node-gpu/, broken)));
    expect(error.code).toBe("backend-unavailable");
    expect(error.message).toContain("tfjs_binding.node");
  });

  it("prefers the GPU build, and uses what the native package exports", async () => {
    await loadBackend("cpu", install(native));
    const asked: string[] = [];
    const stub = { ...core, getBackend: () => "tensorflow" };
    const { tf, name } = await loadBackend(undefined, async (module) => {
      asked.push(module);
      return { default: stub };
    });
    expect(asked).toEqual(["@tensorflow/tfjs-node-gpu"]);
    expect(name).toBe("node");
    expect(tf).toBe(stub);
  });

  it("says what to install for a backend that is asked for", async () => {
    const error = await problem(loadBackend("wasm", install(/wasm|tfjs-node/)));
    expect(error).toMatchObject({ code: "not-installed", kind: "input" });
    expect(error.message).toBe(
      "tensorflowEngine: backend wasm: expected the package @tensorflow/tfjs-backend-wasm, got none: npm install " +
        "@tensorflow/tfjs-core @tensorflow/tfjs-layers @tensorflow/tfjs-backend-cpu @tensorflow/tfjs-backend-wasm",
    );
    expect((await problem(loadBackend("node", install(native)))).message).toContain(
      "npm install @tensorflow/tfjs-node",
    );
  });

  it("says what to install where nothing is", async () => {
    const error = await problem(loadBackend(undefined, install(/tensorflow/)));
    expect(error.code).toBe("not-installed");
    expect(error.message).toContain("npm install @tensorflow/tfjs-core");
    expect(error.message).toContain("@tensorflow/tfjs-node");
  });

  it("does not hide a package's own missing dependency", async () => {
    const broken = { "@tensorflow/tfjs-backend-wasm": absent("some-dependency") };
    const error = await problem(loadBackend("wasm", install(native, broken)));
    expect(error.code).toBe("backend-unavailable");
    expect(error.message).toContain("some-dependency");
  });
});

describe("repairUtil", () => {
  it("puts back what Node 23 took away", async () => {
    const util: Record<string, unknown> = {};
    await repairUtil(util);
    const isNullOrUndefined = util["isNullOrUndefined"] as (value: unknown) => boolean;
    expect([null, undefined, 0, ""].map(isNullOrUndefined)).toEqual([true, true, false, false]);
    expect(util["isArray"]).toBe(Array.isArray);
  });
  it("leaves what is there", async () => {
    const own = (): boolean => true;
    const util: Record<string, unknown> = { isNullOrUndefined: own, isArray: own };
    await repairUtil(util);
    expect(util).toEqual({ isNullOrUndefined: own, isArray: own });
  });
  it("works on the module that others require", async () => {
    await repairUtil();
    const { default: util } = await import("node:util");
    expect((util as unknown as Record<string, unknown>)["isNullOrUndefined"]).toBeTypeOf("function");
  });
});
