import type { FlippedWords } from "../../comparison/write-flips.js";
import { formatCount } from "../format.js";
import { escapeHtml, type Html, paragraph } from "./markup.js";

/** Words that changed their label and are shown; a page with all of a large text would be as large. */
const shownFlips = 100;

/** Words of a sentence on either side of the one that changed. */
const context = 20;

/** Words whose label changed, each in its sentence, with the label before and after and the right one. */
export function flipsHtml({ flips, sentences }: FlippedWords): Html {
  if (flips.length === 0) return paragraph("No word changed its label.");
  const items = flips.slice(0, shownFlips).map(({ sentence, word, original, changed }) => {
    const { words, labels } = sentences[sentence]!;
    const gold = labels[word] ?? "";
    const before = words.slice(Math.max(0, word - context), word);
    const after = words.slice(word + 1, word + 1 + context);
    const text = [
      ...(word > context ? ["…"] : []),
      ...before.map(escapeHtml),
      `<mark>${escapeHtml(words[word] ?? "")}</mark>`,
      ...after.map(escapeHtml),
      ...(word + 1 + context < words.length ? ["…"] : []),
    ].join(" ");
    const label = (name: string): Html =>
      `<span class="${name === gold ? "right" : "wrong"}">${escapeHtml(name)}</span>`;
    const place = `sentence ${formatCount(sentence + 1)}, word ${formatCount(word + 1)}`;
    return `<li><p dir="auto">${text}</p><p>${label(original)} → ${label(changed)} <small>gold <bdi>${escapeHtml(gold)}</bdi>; ${place}</small></p></li>`;
  });
  const left = flips.length - items.length;
  const rest =
    left > 0
      ? paragraph(`${formatCount(left)} more are not shown; --flips FILE.tsv writes all of them.`)
      : "";
  return `<ol class="flips">${items.join("\n")}</ol>${rest}`;
}
