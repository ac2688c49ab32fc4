import { bytesText, countText } from "../page/figures.js";
import { element } from "../page/element.js";
import { changeState, readState } from "../page/state.js";
import { type Tagged, tagWords } from "./tag-text.js";
import { differs, legend, taggedText, wordTable } from "./tagged-view.js";
import { type OpenedTagger, type Precision, startTaggers, type Taggers } from "./taggers.js";

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
      status.textContent = shown.figures;
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
  readonly figures: string;
}

async function tagged(text: string, { taggers, isCompared, signal }: Job): Promise<Shown> {
  const tagWith = async (precision: Precision): Promise<Tagged & { readonly opened: OpenedTagger }> => {
    const [pos, ner] = await Promise.all([taggers.open("pos", precision), taggers.open("ner", precision)]);
    return { ...(await tagWords(text, { pos: pos.tagger, ner: ner.tagger }, signal)), opened: pos };
  };
  const int8 = await tagWith("int8");
  const float32 = isCompared ? await tagWith("float32") : undefined;
  const seen = { words: int8.words, others: float32?.words };
  const figures = [figuresOf("INT8", int8)];
  if (float32 !== undefined) {
    const count = int8.words.filter((word, at) => differs(word, float32.words[at])).length;
    figures.push(figuresOf("float32", float32));
    figures.push(
      count === 0 ? "no word differs" : `${count} ${count === 1 ? "word differs" : "words differ"}`,
    );
  }
  return {
    views: [
      taggedText(text, seen),
      legend(seen.words),
      element("details", {}, element("summary", {}, "Words and offsets"), wordTable(seen)),
    ],
    figures: figures.join(" · "),
  };
}

function figuresOf(
  name: string,
  { words, milliseconds, opened }: Tagged & { readonly opened: OpenedTagger },
): string {
  const speed =
    words.length === 0 ? "" : `, ${countText((1000 * words.length) / Math.max(milliseconds, 0.1))} words/s`;
  return `${name}: ${bytesText(opened.bytes)}, ${words.length} words${speed}`;
}
