import type { EngineName } from "../session.js";

let last: EngineName | undefined;

/** Remembers what the session that was just opened computes on. */
export const noteEngine = (name: EngineName): void => {
  last = name;
};

/** What the session that was opened last computes on; undefined before the first. */
export const engineInUse = (): EngineName | undefined => last;
