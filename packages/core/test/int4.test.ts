import * as fc from "fast-check";
import { expect, test } from "vitest";
import { packInt4, unpackInt4 } from "../src/index.js";
import { caught } from "./caught.js";

test("low nibble first", () => {
  expect([...packInt4(new Int8Array([1, -1, 7]))]).toEqual([0xf1, 0x07]);
  expect([...unpackInt4(new Uint8Array([0xf1, 0x07]), 3, true)]).toEqual([1, -1, 7]);
  expect([...unpackInt4(new Uint8Array([0xf1, 0x07]), 3, false)]).toEqual([1, 15, 7]);
});

test("unpack undoes pack", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -8, max: 7 })), (values) => {
      expect([...unpackInt4(packInt4(Int8Array.from(values)), values.length, true)]).toEqual(values);
      const unsigned = values.map((v) => v + 8);
      expect([...unpackInt4(packInt4(Uint8Array.from(unsigned)), values.length, false)]).toEqual(unsigned);
    }),
  );
});

test("a wrong number of bytes is refused", () => {
  expect(caught(() => unpackInt4(new Uint8Array(3), 3, true))).toMatchObject({
    code: "length",
    message: "unpackInt4: 3 values: bytes: expected 2, got 3",
  });
});
