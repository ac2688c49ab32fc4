import type { NameRegistry } from "./name-registry.js";

/** What all graphs of one model share. */
export interface GraphContext {
  readonly names: NameRegistry;
  /** True if initializers that the main graph also lists as inputs are constants all the same (IR version < 4). */
  listedInitializersAreConstant: boolean;
}
