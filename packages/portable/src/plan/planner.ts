import { byteLength, type DType, elementCount } from "@nasty/core";
import type { Kernels } from "../kernels/module.js";
import { Arena, type Room } from "../memory/arena.js";
import { bytesOf, type Heap } from "../memory/heap.js";
import { PortableError } from "../portable-error.js";
import type { Value } from "./value.js";

/** Tensors by position among the inputs of the model, while a run goes on. */
export interface Feeds {
  current: readonly FedTensor[];
}

export interface FedTensor {
  readonly shape: readonly number[];
  readonly data: ArrayBufferView & { readonly length: number };
}

/** Makes the steps of one shape class, node by node. */
export class Planner {
  readonly kernels: Kernels;
  readonly heap: Heap;
  readonly feeds: Feeds;
  readonly steps: (() => void)[] = [];
  readonly #arena: Arena;
  #scratch: Room[] = [];

  constructor({ kernels, heap, feeds }: Pick<Planner, "kernels" | "heap" | "feeds">) {
    this.kernels = kernels;
    this.heap = heap;
    this.feeds = feeds;
    this.#arena = new Arena(heap.fixedEnd);
  }

  /** One past the last byte that the steps use. */
  get end(): number {
    return this.#arena.end;
  }

  /** Adds what a run does next. */
  step(run: () => void): void {
    this.steps.push(run);
  }

  /** Room for a result. */
  result(dtype: DType, shape: readonly number[]): Value & { readonly at: number } {
    return this.place(dtype, shape, byteLength(dtype, shape));
  }

  /** A value that takes other room than its elements would. */
  place(
    dtype: DType,
    shape: readonly number[],
    bytes: number,
  ): Value & { readonly at: number; readonly room: Room } {
    const room = this.#take(bytes);
    return { dtype, shape, at: room.at, room };
  }

  /** Room until the node is done. */
  scratch(bytes: number): number {
    const room = this.#take(bytes);
    this.#scratch.push(room);
    return room.at;
  }

  /** A value that only this node uses: its room is free when the node is done. */
  finishedWithNode({ room }: Value): void {
    if (room !== undefined) this.#scratch.push(room);
  }

  /** The same elements under another shape, in the same place. */
  reshaped(value: Value, shape: readonly number[]): Value {
    if (value.room !== undefined) value.room.users += 1;
    return { ...value, shape, known: value.known && { ...value.known, shape } };
  }

  /** The address of a value; one that is known is written at each run, unless it stays in memory. */
  address(value: Value): number {
    if (value.at !== undefined) return value.at;
    const { known } = value;
    if (known === undefined) throw new Error("address: a value that is fed is looked up row by row only");
    const bytes = bytesOf(known.data);
    const at = this.scratch(bytes.length);
    this.step(() => this.heap.u8.set(bytes, at));
    return at;
  }

  /** Ends a node: what it alone used is free again. */
  endNode(finished: readonly Value[]): void {
    for (const room of this.#scratch) this.#arena.release(room);
    this.#scratch = [];
    for (const { room } of finished) if (room !== undefined) this.#arena.release(room);
  }

  #take(bytes: number): Room {
    const room = this.#arena.take(bytes);
    if (this.#arena.end >= 2 ** 31)
      throw new PortableError(
        "out-of-memory",
        `run: memory: expected a need below 2^31 bytes, got ${this.#arena.end}`,
      );
    return room;
  }
}

/** Number of elements; `elementCount` that is short to read in sizes. */
export const sizeOf = ({ shape }: { readonly shape: readonly number[] }): number => elementCount(shape);
