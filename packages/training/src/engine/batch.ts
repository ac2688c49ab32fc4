import type { Tensor } from "@nasty/core";

/** Feeds of one step by input name: the model's inputs and those of the losses. */
export type Batch = Readonly<Record<string, Tensor>>;
