import fc from "fast-check";
import { describe, it } from "vitest";
import { checkNode, floats, type NodeUnderTest, weight } from "../reference/check-gradients.js";

const size = fc.integer({ min: 1, max: 4 });
const shape = fc.array(size, { minLength: 1, maxLength: 4 });

/** Runs are few because each one builds and loads a graph; PROPERTY_SEED=random looks at other cases. */
const check = (nodes: fc.Arbitrary<NodeUnderTest>): Promise<void> =>
  fc.assert(
    fc.asyncProperty(nodes, fc.boolean(), fc.integer({ min: 1, max: 1000 }), (node, dynamic, seed) =>
      checkNode({ ...node, dynamic, seed }, 1e-3),
    ),
    { numRuns: 12 },
  );

/** Two shapes that broadcast: some dimensions of either are 1 or missing. */
const broadcastPair = shape.chain((full) =>
  fc
    .tuple(
      fc.array(fc.boolean(), { minLength: full.length, maxLength: full.length }),
      fc.nat({ max: full.length }),
      fc.boolean(),
    )
    .map(([ones, drop, swap]) => {
      const other = full.map((length, i) => (ones[i] ? 1 : length)).slice(drop);
      return swap ? [other, full] : [full, other];
    }),
);

describe("gradient rules over random shapes", () => {
  it("elementwise operators with broadcasting", () =>
    check(
      fc
        .tuple(fc.constantFrom("Add", "Sub", "Mul"), broadcastPair)
        .map(([opType, [a, b]]) => ({ opType, operands: [weight(a as number[]), weight(b as number[])] })),
    ));
  it("products of batches that broadcast", () =>
    check(
      fc.tuple(broadcastPair, size, size, size).map(([[a = [], b = []], m, k, n]) => ({
        opType: "MatMul",
        operands: [weight([...a.slice(-2), m, k]), weight([...b.slice(-2), k, n])],
      })),
    ));
  it("normalisation, softmax and reductions", () =>
    check(
      fc
        .tuple(
          fc.constantFrom("Softmax", "LogSoftmax", "LayerNormalization", "ReduceMean", "ReduceMax"),
          shape,
        )
        .map(([opType, s]) => {
          const last = s.at(-1) as number;
          const x = weight(s);
          if (opType === "LayerNormalization")
            return { opType, operands: [x, weight([last]), weight([last])], attributes: { epsilon: 0.1 } };
          if (opType.startsWith("Reduce"))
            return {
              opType,
              operands: [x, { kind: "ints", values: [-1] } as const],
              attributes: { keepdims: s.length % 2 },
            };
          return { opType, operands: [x], attributes: { axis: -1 } };
        }),
    ));
  it("convolutions", () =>
    check(
      fc
        .record({
          batch: size,
          group: fc.integer({ min: 1, max: 2 }),
          inputs: fc.integer({ min: 1, max: 2 }),
          outputs: fc.integer({ min: 1, max: 2 }),
          taps: fc.integer({ min: 1, max: 3 }),
          stride: fc.integer({ min: 1, max: 3 }),
          dilation: fc.integer({ min: 1, max: 2 }),
          before: fc.nat({ max: 2 }),
          after: fc.nat({ max: 2 }),
          extra: fc.nat({ max: 4 }),
        })
        .map((p) => {
          const length = (p.taps - 1) * p.dilation + 1 + p.extra;
          return {
            opType: "Conv",
            operands: [
              weight([p.batch, p.group * p.inputs, length]),
              weight([p.group * p.outputs, p.inputs, p.taps]),
              weight([p.group * p.outputs]),
            ],
            attributes: {
              group: p.group,
              strides: [p.stride],
              dilations: [p.dilation],
              pads: [p.before, p.after],
            },
          };
        }),
    ));
  it("LSTM in every direction", () =>
    check(
      fc
        .record({
          direction: fc.constantFrom("forward", "reverse", "bidirectional"),
          steps: size,
          batch: size,
          width: size,
          hidden: fc.integer({ min: 1, max: 3 }),
        })
        .map(({ direction, steps, batch, width, hidden }) => {
          const sides = direction === "bidirectional" ? 2 : 1;
          return {
            opType: "LSTM",
            operands: [
              weight([steps, batch, width]),
              weight([sides, 4 * hidden, width]),
              weight([sides, 4 * hidden, hidden]),
              weight([sides, 8 * hidden]),
            ],
            attributes: { direction, hidden_size: hidden },
            outputs: 3,
          };
        }),
    ));
  it("clipping, whatever the bounds", () =>
    check(
      fc
        .tuple(shape, fc.double({ min: -1, max: 0, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }))
        .map(([s, low, high]) => ({ opType: "Clip", operands: [weight(s), floats([low]), floats([high])] })),
    ));
});
