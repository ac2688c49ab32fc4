import { tensor } from "@nasty/core";
import fc from "fast-check";
import { describe, it } from "vitest";
import { compare, floats, seeds, sizes, tried, wholes } from "../against.js";

const cases = fc.record({
  steps: sizes(1, 7),
  batch: sizes(1, 4),
  inputs: sizes(1, 11),
  units: sizes(1, 9),
  direction: fc.constantFrom("forward", "reverse", "bidirectional"),
  withLengths: fc.boolean(),
  withStates: fc.boolean(),
  seed: seeds,
});

const outputs = ["float32", "float32", "float32"] as const;

describe("recurrent layers", () => {
  const parts = ({
    steps,
    batch,
    inputs,
    units,
    direction,
    withLengths,
    withStates,
    seed,
  }: typeof cases extends fc.Arbitrary<infer T> ? T : never) => {
    const directions = direction === "bidirectional" ? 2 : 1;
    // The longest sequence takes all steps: what lies behind it is no part of a batch.
    const lengths = wholes("int32", [batch], { seed, min: 1, max: steps });
    lengths.data[0] = steps;
    const state = (own: number) =>
      withStates ? floats([directions, batch, units], seed + own, 0.5) : undefined;
    return {
      directions,
      x: floats([steps, batch, inputs], seed),
      bias: floats([directions, 8 * units], seed + 3, 0.5),
      lengths: withLengths ? lengths : undefined,
      states: [state(4), state(5)],
      attributes: { hidden_size: units, direction },
    };
  };

  it("LSTM of float weights", () =>
    tried(
      cases,
      (one) => {
        const { directions, x, bias, lengths, states, attributes } = parts(one);
        const w = floats([directions, 4 * one.units, one.inputs], one.seed + 1, 0.5);
        const r = floats([directions, 4 * one.units, one.units], one.seed + 2, 0.5);
        return compare(
          {
            op: "LSTM",
            inputs: [x, w, r, bias, lengths, ...states],
            weights: [1, 2, 3],
            attributes,
            outputs,
          },
          { float: 1e-5 },
        );
      },
      40,
    ));

  it("DynamicQuantizeLSTM: one range for the inputs, one for each step's outputs", () =>
    tried(
      cases,
      (one) => {
        const { directions, x, bias, lengths, states, attributes } = parts(one);
        const gates = 4 * one.units;
        const weight = (depth: number, own: number) =>
          wholes("int8", [directions, depth, gates], { seed: one.seed + own, min: -64, max: 63 });
        const scales = (own: number) =>
          tensor(
            "float32",
            [directions, gates],
            floats([directions, gates], own).data.map((v) => Math.abs(v) / 400 + 0.001),
          );
        const zeros = tensor("int8", [directions, gates], new Int8Array(directions * gates));
        return compare(
          {
            op: "DynamicQuantizeLSTM",
            domain: "com.microsoft",
            inputs: [
              x,
              weight(one.inputs, 1),
              weight(one.units, 2),
              bias,
              lengths,
              ...states,
              undefined,
              scales(3),
              zeros,
              scales(4),
              zeros,
            ],
            weights: [1, 2, 3, 8, 9, 10, 11],
            attributes,
            outputs,
          },
          // A float that lies between two integers may go to either.
          { float: 0.02 },
        );
      },
      40,
    ));
});
