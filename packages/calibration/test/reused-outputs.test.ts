import { type Tensor, tensor } from "@nasty/core";
import { makeGraph, makeModel, makeNode, makeValueInfo, type ModelProto } from "@nasty/formats/onnx";
import { openSession, type RunOptions, type Session } from "@nasty/runtime";
import { describe, expect, it } from "vitest";
import { observedModel } from "../src/observed-model.js";
import { reusedOutputs } from "../src/reused-outputs.js";

/** h = −x for x [batch, length], y = |h|. */
const model: ModelProto = makeModel(
  makeGraph("reuse", {
    nodes: [makeNode("Neg", ["x"], ["h"]), makeNode("Abs", ["h"], ["y"])],
    inputs: [makeValueInfo("x", "float32", ["batch", "length"])],
    outputs: [makeValueInfo("y", "float32", ["batch", "length"])],
  }),
  { opsets: { "": 17 }, irVersion: 8 },
);

const x = (...values: number[]): Tensor => tensor("float32", [1, values.length], Float32Array.from(values));

const floats = (found: Tensor | undefined): Float32Array => found?.data as Float32Array;

/** A session that also writes down what it was given to write into. */
const watched = (session: Session): Session & { readonly given: (RunOptions | undefined)[] } => {
  const given: (RunOptions | undefined)[] = [];
  return {
    ...session,
    given,
    run(feeds, outputs, options) {
      given.push(options);
      return session.run(feeds, outputs, options);
    },
  };
};

describe("reusedOutputs", () => {
  it("writes runs of other lengths into the same memory", async () => {
    const observed = observedModel(model, ["h"]);
    const session = await openSession(observed.model);
    const run = reusedOutputs(session, observed.tensors);
    const long = floats((await run({ x: x(1, 2, 3) })).h);
    expect([...long]).toEqual([-1, -2, -3]);
    const short = floats((await run({ x: x(4, 5) })).h);
    expect([...short]).toEqual([-4, -5]);
    expect(short.buffer).toBe(long.buffer);
    const longer = floats((await run({ x: x(6, 7, 8, 9) })).h);
    expect([...longer]).toEqual([-6, -7, -8, -9]);
    await session.close();
  });

  it("goes on without it where values have another shape than inference says", async () => {
    const observed = observedModel(model, ["h"]);
    const session = watched(await openSession(observed.model));
    const wrong = observed.tensors.map((found) => ({ ...found, shape: ["batch", 7] }));
    const run = reusedOutputs(session, wrong);
    expect([...floats((await run({ x: x(1, 2) })).h)]).toEqual([-1, -2]);
    expect([...floats((await run({ x: x(3) })).h)]).toEqual([-3]);
    // One attempt that failed, its repetition, and no further attempt.
    expect(session.given.map((options) => options?.out !== undefined)).toEqual([true, false, false]);
    await session.close();
  });

  it("leaves tensors of unknown shape to the runtime", async () => {
    const observed = observedModel(model, ["h"]);
    const session = watched(await openSession(observed.model));
    const run = reusedOutputs(
      session,
      observed.tensors.map((found) => ({ ...found, shape: ["batch", "other"] })),
    );
    expect([...floats((await run({ x: x(1, 2) })).h)]).toEqual([-1, -2]);
    expect(session.given).toEqual([{ out: {} }]);
    await session.close();
  });
});
