import { type DType, type Tensor, tensor } from "@nasty/core";
import type { Session } from "@nasty/runtime";

/** A tensor as JSON. */
export interface Sent {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

export const sent = ({ dtype, shape, data }: Tensor): Sent => ({
  dtype,
  shape,
  data: Array.from(data as Iterable<number | bigint>, (one) => (typeof one === "bigint" ? `${one}` : one)),
});

export function received({ dtype, shape, data }: Sent): Tensor {
  if (dtype === "int64") return tensor(dtype, shape, BigInt64Array.from(data, BigInt));
  if (dtype === "float32") return tensor(dtype, shape, Float32Array.from(data, Number));
  throw new Error(`received: expected float32 or int64, got ${dtype}`);
}

/** What the page has for the test. */
export interface DrivenPage {
  version(): string;
  hasAdapter(): Promise<boolean>;
  /** @param address of the model, `data:` for its bytes */
  open(address: string): Promise<Pick<Session, "inputs" | "outputs"> & { readonly id: number }>;
  run(
    id: number,
    feeds: Readonly<Record<string, Sent>>,
    names: readonly string[] | undefined,
  ): Promise<Record<string, Sent>>;
  close(id: number): Promise<void>;
}
