import type { Tensor } from "@nasty/core";
import { openSession } from "../open-session.js";
import type { Session, SessionOptions } from "../session.js";

export interface SessionJob {
  readonly model: string | Uint8Array;
  readonly feeds: readonly Readonly<Record<string, Tensor>>[];
  readonly options: SessionOptions;
}

/** Opens a model and runs every feed once; the session is returned open, so that its memory counts. */
export const loadAndRun = async ({ model, feeds, options }: SessionJob): Promise<Session> => {
  const session = await openSession(model, options);
  for (const feed of feeds) await session.run(feed);
  return session;
};
