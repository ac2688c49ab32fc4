import { type Code, signed, unsigned } from "./code.js";

/*
 * Instructions as functions of their operands: `i32.add(a, b)` is the code of a, that of b, and the addition. Only
 * instructions whose results are the same on every machine are here: no relaxed vector instructions.
 *
 * Source: WebAssembly Core Specification 2.0, sections 5.4 (binary format of instructions) and 4.3 (numerics).
 */

type Unary = (x: Code) => Code;
type Binary = (a: Code, b: Code) => Code;
type Load = (address: Code, offset?: number) => Code;
type Store = (address: Code, value: Code, offset?: number) => Code;

const unary =
  (code: number): Unary =>
  (x) => [x, code];
const binary =
  (code: number): Binary =>
  (a, b) => [a, b, code];
// Alignment is a hint; 0 promises nothing.
const load =
  (code: number): Load =>
  (address, offset = 0) => [address, code, 0, unsigned(offset)];
const store =
  (code: number): Store =>
  (address, value, offset = 0) => [address, value, code, 0, unsigned(offset)];

const vector = (code: number): Code => [0xfd, unsigned(code)];
const vectorUnary =
  (code: number): Unary =>
  (x) => [x, vector(code)];
const vectorBinary =
  (code: number): Binary =>
  (a, b) => [a, b, vector(code)];
const vectorLoad =
  (code: number): Load =>
  (address, offset = 0) => [address, vector(code), 0, unsigned(offset)];
const lane =
  (code: number) =>
  (x: Code, index: number): Code => [x, vector(code), index];
const replaceLane =
  (code: number) =>
  (x: Code, index: number, value: Code): Code => [x, value, vector(code), index];

const float32Bytes = (value: number): number[] => [...new Uint8Array(Float32Array.of(value).buffer)];

export const i32 = {
  const: (value: number): Code => [0x41, signed(value | 0)],
  load: load(0x28),
  load8Signed: load(0x2c),
  load8: load(0x2d),
  load16Signed: load(0x2e),
  load16: load(0x2f),
  store: store(0x36),
  store8: store(0x3a),
  store16: store(0x3b),
  isZero: unary(0x45),
  equal: binary(0x46),
  notEqual: binary(0x47),
  less: binary(0x48),
  lessUnsigned: binary(0x49),
  greater: binary(0x4a),
  atMost: binary(0x4c),
  atLeast: binary(0x4e),
  atLeastUnsigned: binary(0x4f),
  add: binary(0x6a),
  sub: binary(0x6b),
  mul: binary(0x6c),
  and: binary(0x71),
  or: binary(0x72),
  shiftLeft: binary(0x74),
  shiftRight: binary(0x75),
  /** Towards zero; what is too large becomes the nearest limit, NaN becomes 0. */
  truncate: (x: Code): Code => [x, 0xfc, 0],
  wrap: unary(0xa7),
};

export const i64 = {
  load: load(0x29),
  store: store(0x37),
};

export const f64 = {
  add: binary(0xa0),
};

export const f32 = {
  const: (value: number): Code => [0x43, float32Bytes(value)],
  load: load(0x2a),
  store: store(0x38),
  equal: binary(0x5b),
  less: binary(0x5d),
  abs: unary(0x8b),
  nearest: unary(0x90),
  sqrt: unary(0x91),
  add: binary(0x92),
  sub: binary(0x93),
  mul: binary(0x94),
  div: binary(0x95),
  min: binary(0x96),
  max: binary(0x97),
  fromInt: unary(0xb2),
};

export const v128 = {
  load: vectorLoad(0x00),
  /** Eight bytes, each widened to 16 bits. */
  load8x8Signed: vectorLoad(0x01),
  /** One value of so many bits in every lane. */
  load32Splat: vectorLoad(0x09),
  /** One value of 64 bits, the other half zero. */
  load64Zero: vectorLoad(0x5d),
  store: (address: Code, value: Code, offset = 0): Code => [
    address,
    value,
    vector(0x0b),
    0,
    unsigned(offset),
  ],
  const: (bytes: readonly number[]): Code => [vector(0x0c), bytes],
  /** Bytes of `a` (0 to 15) and `b` (16 to 31), by their places. */
  shuffle: (a: Code, b: Code, places: readonly number[]): Code => [a, b, vector(0x0d), places],
  not: vectorUnary(0x4d),
  /** 1 if any bit is set. */
  anyTrue: vectorUnary(0x53),
  and: vectorBinary(0x4e),
  or: vectorBinary(0x50),
  xor: vectorBinary(0x51),
  /** Bits of `a` where the mask has ones, of `b` elsewhere. */
  select: (a: Code, b: Code, mask: Code): Code => [a, b, mask, vector(0x52)],
  store64: (address: Code, x: Code, half = 0, offset = 0): Code => [
    address,
    x,
    vector(0x5b),
    0,
    unsigned(offset),
    half,
  ],
};

export const i8x16 = {
  /** Two vectors of 16-bit integers, saturated to 8 bits. */
  narrow: vectorBinary(0x65),
};

export const i16x8 = {
  extract: lane(0x18),
  splat: vectorUnary(0x10),
  greater: vectorBinary(0x31),
  /** Sums of neighbouring signed bytes. */
  addNeighbours: vectorUnary(0x7c),
  abs: vectorUnary(0x80),
  add: vectorBinary(0x8e),
  max: vectorBinary(0x98),
  /** Two vectors of 32-bit integers, saturated to 16 bits. */
  narrow: vectorBinary(0x85),
  extendLowSigned: vectorUnary(0x87),
  extendHighSigned: vectorUnary(0x88),
};

export const i32x4 = {
  splat: vectorUnary(0x11),
  extract: lane(0x1b),
  add: vectorBinary(0xae),
  sub: vectorBinary(0xb1),
  mul: vectorBinary(0xb5),
  shiftLeft: vectorBinary(0xab),
  min: vectorBinary(0xb6),
  max: vectorBinary(0xb8),
  /** Sums of the products of neighbouring 16-bit integers. */
  dot: vectorBinary(0xba),
  extendLow16: vectorUnary(0xa7),
  truncate: vectorUnary(0xf8),
  /** 1 if every lane has a bit that is set. */
  allTrue: vectorUnary(0xa3),
};

export const f32x4 = {
  const: (value: number): Code => [vector(0x0c), Array.from({ length: 4 }, () => float32Bytes(value))],
  splat: vectorUnary(0x13),
  extract: lane(0x1f),
  replace: replaceLane(0x20),
  equal: vectorBinary(0x41),
  less: vectorBinary(0x43),
  greater: vectorBinary(0x44),
  atMost: vectorBinary(0x45),
  nearest: vectorUnary(0x6a),
  abs: vectorUnary(0xe0),
  neg: vectorUnary(0xe1),
  sqrt: vectorUnary(0xe3),
  add: vectorBinary(0xe4),
  sub: vectorBinary(0xe5),
  mul: vectorBinary(0xe6),
  div: vectorBinary(0xe7),
  min: vectorBinary(0xe8),
  max: vectorBinary(0xe9),
  /**
   * `b` where it is the smaller, else `a`: also where one is NaN. One instruction on x86, where `min` takes several.
   */
  chooseMin: vectorBinary(0xea),
  /** `b` where it is the larger, else `a`. */
  chooseMax: vectorBinary(0xeb),
  fromInt: vectorUnary(0xfa),
  /** Two float64, rounded, in the first two lanes. */
  fromDoubles: vectorUnary(0x5e),
};

export const f64x2 = {
  splat: vectorUnary(0x14),
  extract: lane(0x21),
  add: vectorBinary(0xf0),
  sub: vectorBinary(0xf1),
  mul: vectorBinary(0xf2),
  /** The first two lanes of four float32. */
  fromFloats: vectorUnary(0x5f),
};

const noResult = 0x40;

/** Instructions one after the other. */
export const block = (body: Code): Code => [0x02, noResult, body, 0x0b];
export const loop = (body: Code): Code => [0x03, noResult, body, 0x0b];
/** To the start of a loop or the end of a block, `depth` levels out. */
export const branch = (depth: number): Code => [0x0c, depth];
export const branchIf = (condition: Code, depth: number): Code => [condition, 0x0d, depth];
export const when = (condition: Code, then: Code, otherwise?: Code): Code => [
  condition,
  0x04,
  noResult,
  then,
  otherwise === undefined ? [] : [0x05, otherwise],
  0x0b,
];
export const select = (a: Code, b: Code, condition: Code): Code => [a, b, condition, 0x1b];
export const finish = (value: Code = []): Code => [value, 0x0f];

/** Copies bytes; the two places may overlap. */
export const copyBytes = (to: Code, from: Code, count: Code): Code => [to, from, count, 0xfc, 10, 0, 0];
export const fillBytes = (to: Code, byte: Code, count: Code): Code => [to, byte, count, 0xfc, 11, 0];
