/** What the parent sends: which function to call with what. */
export interface MemoryRequest {
  /** URL of a module. */
  readonly module: string;
  readonly function: string;
  readonly argument: unknown;
}

/** What the child answers. */
export type MemoryReply =
  | ({ readonly kind: "measured" } & MemoryUse)
  | { readonly kind: "failed"; readonly message: string };

/** Bytes of the resident set of a fresh process. */
export interface MemoryUse {
  /** Growth from just before the function was called to just after, with garbage collected on both sides. */
  readonly residentBytes: number;
  /** Growth to the highest mark on the way; at least `residentBytes`. */
  readonly peakBytes: number;
  /** The process with its code and the native library loaded, before the call. */
  readonly baselineBytes: number;
}
