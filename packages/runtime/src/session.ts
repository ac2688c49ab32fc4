import type { DType, Tensor } from "@nasty/core";

/** An input or output of a session; a dimension that varies is its symbolic name (`""` when it has none). */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[];
}

export interface RunOptions {
  /**
   * Tensors that the run writes its results into, by output name, so that repeated runs allocate nothing. Outputs that
   * are not named are allocated as ever. A tensor must have the type and shape that the result will have: `run-failed`
   * otherwise.
   */
  readonly out?: Readonly<Record<string, Tensor>>;
}

/**
 * A loaded model, made once and run as often as wanted.
 *
 * @example
 * ```ts
 * const session = await openSession("model.onnx");
 * const { logits } = await session.run({ input_ids: tensor("int64", [1, 3], BigInt64Array.of(2n, 7n, 3n)) });
 * await session.close();
 * ```
 */
export interface Session {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** What computes; left out by sessions that were not opened here. */
  readonly engine?: EngineName;
  /**
   * Computes the named outputs (all of them when none are named).
   *
   * Feeds are checked before the runtime sees them. On Node the call occupies the calling thread until it is done.
   *
   * @throws RuntimeError `missing-input`, `unknown-input`, `wrong-dtype`, `wrong-shape`, `unknown-output`, `closed`,
   *   `run-failed`; `wrong-dtype`, `wrong-shape` for `out` too.
   */
  run(
    feeds: Readonly<Record<string, Tensor>>,
    outputs?: readonly string[],
    options?: RunOptions,
  ): Promise<Record<string, Tensor>>;
  /** Waits for runs under way and frees the model; closing twice does nothing. */
  close(): Promise<void>;
}

/** Execution providers by the names that the runtime gives them. */
export type Device =
  | "cpu"
  | "wasm"
  | "webgpu"
  | "webnn"
  | "cuda"
  | "tensorrt"
  | "dml"
  | "coreml"
  | "qnn"
  | "xnnpack";

/**
 * What computes: ONNX Runtime's native library (`onnxruntime-node`), its WebAssembly build (`onnxruntime-web`), or
 * `@nasty/portable`, which is always there and runs the operators of taggers.
 */
export type EngineName = "native" | "wasm" | "portable";

/**
 * How much the runtime rewrites the graph: `layout` adds CPU memory layouts (NCHWc) to `extended`; `all` is everything.
 */
export type Optimization = "all" | "layout" | "extended" | "basic" | "none";

export interface SessionOptions {
  /** Threads inside one operator; 0 leaves the number to the runtime (all physical cores). Default 1. */
  readonly threads?: number;
  /** Threads across operators; used only by parallel execution. Default 1. */
  readonly interOpThreads?: number;
  /** `parallel` runs independent branches at the same time; seldom worth it for taggers. Default `sequential`. */
  readonly execution?: "sequential" | "parallel";
  /**
   * Whether idle threads wait busily: lower latency with several threads, at the price of processor time. Default true.
   */
  readonly spinning?: boolean;
  /** Default `all`. */
  readonly optimization?: Optimization;
  /**
   * Default: what the environment variable `NASTY_ENGINE` says, else `native`. Where the native library is missing it
   * is `portable`, or `wasm` for a model with operators that `portable` lacks. On both there is one thread, and no
   * `optimizedModelPath`.
   */
  readonly engine?: EngineName;
  /** Default `cpu` (`wasm` on the web). */
  readonly device?: Device;
  /** Where the runtime writes the graph that it really executes; Node only. */
  readonly optimizedModelPath?: string;
  /** More session configuration entries, `"session.disable_prepacking": "1"`; they win over the options above. */
  readonly config?: Readonly<Record<string, string>>;
}
