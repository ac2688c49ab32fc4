import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { type Tagger, tagText } from "@nasty/taggers";
import { GateError } from "../../errors.js";

/** Text that both label: names, figures, contractions, an unknown word, two scripts. */
const sample = `Ada Lovelace didn't visit Geneva in 1843. The committee's 12 members, all of them elected, said
they would've preferred "Zürich" — or so www.example.org claims! Flurbling isn't easy; is it? Москва 東京.`;

/** How much was compared. */
export interface ModuleCheck {
  readonly sentences: number;
  readonly words: number;
}

/**
 * Runs a written module in a thread of its own, so that nothing of it stays, and compares its labels with those of the
 * tagger that it was made of.
 *
 * @param tagger on the portable engine
 * @param name of the module in messages
 * @throws GateError where it does not run, or one label differs
 */
export async function checkModule(
  path: string,
  {
    tagger,
    name,
    signal,
  }: { readonly tagger: Tagger; readonly name: string; readonly signal?: AbortSignal | undefined },
): Promise<ModuleCheck> {
  const sentences: (readonly { readonly form: string; readonly label: string }[])[] = [];
  for await (const { words } of tagText(tagger, sample)) sentences.push(words);
  const forms = sentences.map((words) => words.map(({ form }) => form));
  const expected = JSON.stringify(
    sentences.map((words) => words.map(({ form, label }) => `${form} ${label}`)),
  );
  const found = await answersOf(path, forms, signal).catch((cause: unknown) => {
    signal?.throwIfAborted();
    throw new GateError(
      `export: ${name}: the written module: expected to run, got: ${(cause as Error).message}`,
      { cause },
    );
  });
  for (const [call, labelled] of Object.entries(found)) {
    if (JSON.stringify(labelled) === expected) continue;
    throw new GateError(
      `export: ${name}: ${call}: expected the labels of the model (${expected}), got ${JSON.stringify(labelled)}`,
    );
  }
  return { sentences: forms.length, words: forms.reduce((sum, { length }) => sum + length, 0) };
}

type Answers = Readonly<Record<"tag" | "tagSentences", readonly (readonly string[])[]>>;

// In the words of CommonJS, which is what a thread of a text runs.
const thread = `
const { parentPort, workerData } = require("node:worker_threads");
import(workerData.address).then(async ({ tag, tagSentences }) => {
  const tagged = await tag(workerData.text);
  const labels = await tagSentences(workerData.forms);
  parentPort.postMessage({
    tag: tagged.map(({ words }) => words.map(({ form, label }) => form + " " + label)),
    tagSentences: labels.map((of, i) => of.map((label, j) => workerData.forms[i][j] + " " + label)),
  });
});`;

async function answersOf(
  path: string,
  forms: readonly (readonly string[])[],
  signal: AbortSignal | undefined,
): Promise<Answers> {
  const worker = new Worker(thread, {
    eval: true,
    workerData: { address: pathToFileURL(path).href, text: sample, forms },
  });
  const end = (): void => void worker.terminate();
  signal?.addEventListener("abort", end);
  try {
    return await new Promise<Answers>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", (code) => reject(new Error(`exit code ${code} before an answer`)));
    });
  } finally {
    signal?.removeEventListener("abort", end);
    await worker.terminate();
  }
}
