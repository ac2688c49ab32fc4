import { channel } from "node:diagnostics_channel";

/** Something that a person should know although the work goes on. */
export interface RuntimeNotice {
  /** The engine that computes. */
  readonly engine: "portable";
  /** Why it is not the usual one. */
  readonly reason: string;
  /** One line: the reason, what follows from it, and what to do. */
  readonly message: string;
}

/**
 * The name of the `node:diagnostics_channel` on which a {@link RuntimeNotice} is published: at most one a process, when
 * the first session is opened without the native library.
 *
 * @example
 * ```ts
 * import { noticeChannel, type RuntimeNotice } from "@nasty/runtime/notice";
 * import { subscribe } from "node:diagnostics_channel";
 * subscribe(noticeChannel, (notice) => console.warn((notice as RuntimeNotice).message));
 * ```
 */
export const noticeChannel = "nasty:runtime";

export const publishNotice = (notice: RuntimeNotice): void => channel(noticeChannel).publish(notice);
