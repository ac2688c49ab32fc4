import type { WebSessionOptions } from "@nasty/runtime/web";
import { collected } from "./collected.js";
import type { Tagger } from "../../tagger.js";
import { openTagger } from "../open-tagger.js";
import { type Answer, type Ask, sentError } from "./messages.js";

/** What a worker is to itself: `self` of a dedicated worker. */
export interface WorkerScope {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
}

/**
 * Opens and runs taggers in this worker for a page that calls `openTaggerInWorker`.
 *
 * Call it before the script waits for anything, or what the page asks meanwhile is lost; what is not there yet is given
 * as a promise.
 *
 * @param options of the sessions: the portable engine computes, unless `ort` is the ONNX Runtime package that the
 *   worker carries
 * @param scope default: the worker that this is called in
 * @example
 * ```ts
 * // tagger-worker.js
 * serveTaggers();
 * ```
 */
export function serveTaggers(
  options: WebSessionOptions | Promise<WebSessionOptions> = {},
  scope: WorkerScope = globalThis as unknown as WorkerScope,
): void {
  const taggers = new Map<number, Tagger>();
  const running = new Map<number, AbortController>();
  const answer = (message: Answer): void => scope.postMessage(message);

  const taggerOf = (id: number): Tagger => {
    const tagger = taggers.get(id);
    if (tagger === undefined) throw new Error(`tagger ${id}: expected an open one, got none`);
    return tagger;
  };

  const perform = async (ask: Exclude<Ask, { kind: "abort" }>, signal: AbortSignal): Promise<Answer> => {
    const { id } = ask;
    switch (ask.kind) {
      case "open": {
        const tagger = await openTagger(ask.source, {
          ...(await options),
          ...ask.options,
          signal,
          onProgress: (progress) => answer({ kind: "progress", id, progress }),
        });
        taggers.set(id, tagger);
        const { kind, task, labels, labelling, language, modelBytes } = tagger;
        return {
          kind: "opened",
          id,
          tagger: { kind, task, labels, labelling, language, modelBytes },
          abilities: { hasChoices: tagger.choices !== undefined },
        };
      }
      case "tag":
        return {
          kind: "tagged",
          id,
          labels: await collected(taggerOf(ask.tagger).tag(ask.sentences, { ...ask.options, signal })),
        };
      case "choices":
        return {
          kind: "chosen",
          id,
          choices: await collected(
            taggerOf(ask.tagger).choices?.(ask.sentences, { ...ask.options, signal }) ?? none(),
          ),
        };
      case "feeds":
        return {
          kind: "fed",
          id,
          batches: await collected(taggerOf(ask.tagger).feedsOf(ask.sentences, { ...ask.options, signal })),
        };
      case "close":
        await taggers.get(ask.tagger)?.close();
        taggers.delete(ask.tagger);
        return { kind: "closed", id };
      default:
        return ask satisfies never;
    }
  };

  scope.addEventListener("message", ({ data }) => {
    const ask = data as Ask;
    if (ask.kind === "abort") {
      running.get(ask.id)?.abort();
      return;
    }
    const controller = new AbortController();
    running.set(ask.id, controller);
    perform(ask, controller.signal)
      .catch((error: unknown): Answer => ({ kind: "failed", id: ask.id, error: sentError(error) }))
      .then(answer)
      .finally(() => running.delete(ask.id));
  });
}

/** Only taggers that can are asked. */
async function* none(): AsyncGenerator<never> {}
