import type { WebTagger } from "@nasty/taggers/web";
import { bytesText, countText } from "../page/figures.js";
import { element } from "../page/element.js";
import { changeState, readState } from "../page/state.js";
import { wordsPerSecond } from "./speed.js";
import { tagWords, type Word } from "./tag-text.js";
import { differs, legend, taggedText, wordTable } from "./tagged-view.js";
import { type Precision, startTaggers, type Taggers } from "./taggers.js";

const sample =
  "Ada Lovelace wrote the first program in London. It wasn't run for a century: the machine that Charles Babbage designed was never built.";

/** How long typing must rest before the text is tagged. */
const restMilliseconds = 150;

/** Shows the page that tags text; the function that it gives back ends its worker. */
export function showTagPage(main: HTMLElement): () => void {
  const { text = sample, compare } = readState();
  const input = element("textarea", { id: "text", rows: 5, spellcheck: "false" });
  input.value = text;
  const both = element("input", { type: "checkbox", id: "compare" });
  both.checked = compare === "1";
  const status = element("p", { role: "status", class: "status" }, "Loading the models…");
  const bar = element("progress", { max: 1, value: 0, "aria-label": "Download of the models" });
  const result = element("section", { "aria-label": "Tagged text" });
  main.append(
    element("h1", {}, "Tag"),
    element("p", {}, "Parts of speech and entities of English text, by the default INT8 models."),
    element("label", { for: "text" }, "Text"),
    input,
    element("p", { class: "choice" }, both, element("label", { for: "compare" }, "Compare with float32")),
    bar,
    status,
    result,
  );
  const taggers = startTaggers((loaded, total) => {
    bar.value = loaded / total;
    bar.hidden = loaded >= total;
  });

  let running = new AbortController();
  const update = async (): Promise<void> => {
    running.abort();
    running = new AbortController();
    const { signal } = running;
    const value = input.value;
    changeState({ text: value === sample ? undefined : value, compare: both.checked ? "1" : undefined });
    try {
      const shown = await tagged(value, { taggers, isCompared: both.checked, signal });
      if (signal.aborted) return;
      bar.hidden = true;
      result.replaceChildren(...shown.views);
      status.textContent = shown.figures();
      const speeds = await shown.measured();
      if (!signal.aborted) status.textContent = shown.figures(speeds);
    } catch (error) {
      if (signal.aborted) return;
      bar.hidden = true;
      status.textContent = error instanceof Error ? error.message : String(error);
    }
  };
  let rest: ReturnType<typeof setTimeout> | undefined;
  input.addEventListener("input", () => {
    clearTimeout(rest);
    rest = setTimeout(() => void update(), restMilliseconds);
  });
  both.addEventListener("change", () => void update());
  void update();
  return () => {
    clearTimeout(rest);
    running.abort();
    taggers.end();
  };
}

interface Job {
  readonly taggers: Taggers;
  readonly isCompared: boolean;
  readonly signal: AbortSignal;
}

interface Shown {
  readonly views: readonly HTMLElement[];
  /** What is said of the models and of their differences; with words a second once they were measured. */
  figures(speeds?: readonly number[]): string;
  measured(): Promise<readonly number[]>;
}

interface Seen {
  readonly name: string;
  readonly words: readonly Word[];
  readonly tagger: WebTagger;
}

async function tagged(text: string, { taggers, isCompared, signal }: Job): Promise<Shown> {
  const seenBy = async (name: string, precision: Precision): Promise<Seen> => {
    const [pos, ner] = await Promise.all([taggers.open("pos", precision), taggers.open("ner", precision)]);
    return { name, words: await tagWords(text, { pos, ner }, signal), tagger: pos };
  };
  const int8 = await seenBy("INT8", "int8");
  const float32 = isCompared ? await seenBy("float32", "float32") : undefined;
  const all = float32 === undefined ? [int8] : [int8, float32];
  const compared = { words: int8.words, others: float32?.words };
  const differences = float32 && int8.words.filter((word, at) => differs(word, float32.words[at])).length;
  return {
    views: [
      taggedText(text, compared),
      legend(int8.words),
      element("details", {}, element("summary", {}, "Words and offsets"), wordTable(compared)),
    ],
    figures: (speeds = []) =>
      [
        ...all.map((seen, at) => figuresOf(seen, speeds[at])),
        ...(differences === undefined ? [] : [differencesText(differences)]),
      ].join(" · "),
    measured: () =>
      wordsPerSecond(
        text,
        all.map(({ tagger }) => tagger),
        signal,
      ),
  };
}

function figuresOf({ name, words, tagger }: Seen, speed: number | undefined): string {
  const measured = speed === undefined ? "" : `, ${countText(speed)} words/s`;
  return `${name}: ${bytesText(tagger.modelBytes)}, ${words.length} words${measured}`;
}

function differencesText(count: number): string {
  if (count === 0) return "no word differs";
  return count === 1 ? "1 word differs" : `${count} words differ`;
}
