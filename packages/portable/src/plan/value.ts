import type { DType, Tensor } from "@nasty/core";
import type { Room } from "../memory/arena.js";

/** A value of one shape class: what the plan knows of it, and where a run will find it. */
export interface Value {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The elements, where they follow from weights and shapes alone. */
  readonly known?: Tensor | undefined;
  /** Its address; without one it is known, or looked up in what was fed. */
  readonly at?: number | undefined;
  /** What keeps the memory there, unless it stays for good. */
  readonly room?: Room | undefined;
  /** Bytes from row to row, where it is stored as 16-bit integers less the zero point, ready for products. */
  readonly centred?: number | undefined;
  /** Position among the inputs of the model, where rows are looked up in what was fed and nothing is copied. */
  readonly fed?: number | undefined;
}

/** What is known of a value before any shape is. */
export interface ValueInfo {
  readonly dtype: DType;
  /** Whether its elements follow from weights and shapes alone. */
  readonly isStatic: boolean;
  readonly constant?: Tensor | undefined;
}
