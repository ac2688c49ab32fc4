import type { ChoiceOptions, LabelChoices, Sentences } from "../../tagger.js";
import type { LoadTaggerOptions, WebTagger } from "../open-tagger.js";
import type { TaggerSource } from "../source.js";
import { type Answer, type Ask, receivedError, type SentBatchOptions } from "./messages.js";

/** What {@link openTaggerInWorker} takes beside the worker; the sessions' options are given to `serveTaggers`. */
export interface OpenInWorkerOptions extends Omit<LoadTaggerOptions, "fetch"> {
  /** Refuses weights that are not finite. Default true. */
  readonly checkWeights?: boolean;
}

/** What is used of a `Worker`. */
export interface WorkerLike {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "error", listener: (event: { readonly message?: string }) => void): void;
}

/** Sentences that go to the worker at once. */
const MOST_SENTENCES = 256;

type Unnumbered<A> = A extends Ask ? Omit<A, "id"> : never;

interface Line {
  /** Sends a question, and gives its answer. */
  ask(question: Unnumbered<Ask>, waiting?: Waiting): Promise<Answer & { readonly id: number }>;
}

interface Waiting {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OpenInWorkerOptions["onProgress"];
}

let asked = 0;
const lines = new WeakMap<WorkerLike, Line>();

function lineTo(worker: WorkerLike): Line {
  const known = lines.get(worker);
  if (known !== undefined) return known;
  const open = new Map<number, { resolve(answer: Answer): void; reject(error: unknown): void } & Waiting>();
  worker.addEventListener("message", ({ data: message }) => {
    const data = message as Answer;
    const waiting = open.get(data.id);
    if (waiting === undefined) return;
    if (data.kind === "progress") {
      waiting.onProgress?.(data.progress);
      return;
    }
    open.delete(data.id);
    if (data.kind === "failed") waiting.reject(receivedError(data.error));
    else waiting.resolve(data);
  });
  // A worker whose script does not load, or that ends with an error of its own, answers nothing.
  worker.addEventListener("error", (event) => {
    const error = new Error(`openTagger: worker: expected it to run, got ${event.message || "no script"}`);
    for (const waiting of open.values()) waiting.reject(error);
    open.clear();
  });
  const line: Line = {
    ask: (question, waiting = {}) =>
      new Promise((resolve, reject) => {
        const { signal } = waiting;
        if (signal?.aborted === true) {
          reject(signal.reason);
          return;
        }
        const id = ++asked;
        const abort = (): void => {
          worker.postMessage({ kind: "abort", id } satisfies Ask);
          open.delete(id);
          reject(signal?.reason);
        };
        const done = (): void => signal?.removeEventListener("abort", abort);
        signal?.addEventListener("abort", abort, { once: true });
        open.set(id, {
          ...waiting,
          resolve: (answer) => (done(), resolve(answer)),
          reject: (error) => (done(), reject(error)),
        });
        worker.postMessage({ ...question, id });
      }),
  };
  lines.set(worker, line);
  return line;
}

/**
 * `openTagger` in a worker, so that the page stays free while it tags: the worker's script calls `serveTaggers`.
 *
 * @param worker may serve any number of taggers; it is not ended when they are closed
 * @returns a tagger whose work is done in the worker; where subwords stand in a word cannot be asked across, so that
 *   `entities` aggregates words alone
 * @throws as `openTagger`; errors of any package arrive as TaggerError with their message and code
 * @example
 * ```ts
 * const worker = new Worker(new URL("./tagger-worker.js", import.meta.url), { type: "module" });
 * const tagger = await openTaggerInWorker(worker, posInt8);
 * ```
 */
export async function openTaggerInWorker(
  worker: WorkerLike,
  source: TaggerSource,
  { onProgress, signal, ...options }: OpenInWorkerOptions = {},
): Promise<WebTagger> {
  const line = lineTo(worker);
  const address = typeof source === "string" || source instanceof URL ? absolute(source) : source;
  const opened = await line.ask({ kind: "open", source: address, options }, { onProgress, signal });
  if (opened.kind !== "opened")
    throw new TypeError(`openTagger: worker: expected "opened", got ${opened.kind}`);
  const tagger = opened.id;

  async function* inBlocks<T>(
    kind: "tag" | "choices" | "feeds",
    sentences: Sentences,
    { signal: ending, ...batches }: ChoiceOptions,
  ): AsyncGenerator<T> {
    for await (const block of blocksOf(sentences)) {
      const question = { kind, tagger, sentences: block, options: batches as SentBatchOptions };
      const answer = await line.ask(question, { signal: ending });
      if (answer.kind === "tagged") yield* answer.labels as readonly T[];
      if (answer.kind === "chosen") yield* answer.choices as readonly T[];
      if (answer.kind === "fed") yield* answer.batches as readonly T[];
    }
  }

  return {
    ...opened.tagger,
    tag: (sentences, batches = {}) => inBlocks("tag", sentences, batches),
    ...(opened.abilities.hasChoices && {
      choices: (sentences: Sentences, batches: ChoiceOptions = {}) =>
        inBlocks<LabelChoices>("choices", sentences, batches),
    }),
    feedsOf: (sentences, batches = {}) => inBlocks("feeds", sentences, batches),
    close: async () => {
      await line.ask({ kind: "close", tagger });
    },
  };
}

/** A worker's relative addresses are relative to its script, not to the page. */
function absolute(address: string | URL): string {
  const base = (globalThis as { location?: { href: string } }).location?.href;
  return base === undefined ? String(address) : new URL(address, base).href;
}

async function* blocksOf(sentences: Sentences): AsyncGenerator<(readonly string[])[]> {
  let block: (readonly string[])[] = [];
  for await (const sentence of sentences) {
    block.push(sentence);
    if (block.length < MOST_SENTENCES) continue;
    yield block;
    block = [];
  }
  if (block.length > 0) yield block;
}
