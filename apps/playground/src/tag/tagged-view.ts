import { element } from "../page/element.js";
import { table } from "../page/table.js";
import type { Word } from "./tag-text.js";

/** Universal parts of speech, each with a hue of its own; others follow by their names. */
const hues: Readonly<Record<string, number>> = {
  ADJ: 60,
  ADP: 200,
  ADV: 30,
  AUX: 120,
  CCONJ: 260,
  DET: 225,
  INTJ: 350,
  NOUN: 250,
  NUM: 90,
  PART: 180,
  PRON: 290,
  PROPN: 275,
  PUNCT: 0,
  SCONJ: 240,
  SYM: 15,
  VERB: 150,
  X: 330,
  PER: 20,
  LOC: 145,
  ORG: 265,
};

function hueOf(label: string): number {
  let sum = 0;
  for (const character of label) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 360;
  return hues[label] ?? sum;
}

function coloured<E extends HTMLElement>(made: E, label: string): E {
  made.style.setProperty("--hue", String(hueOf(label)));
  return made;
}

/** Words of two taggers on one text: what the second says where it differs. */
export interface Seen {
  readonly words: readonly Word[];
  readonly others: readonly Word[] | undefined;
}

export const differs = (a: Word, b: Word | undefined): boolean =>
  b !== undefined && (a.pos !== b.pos || a.entity !== b.entity);

/** The text with a colour a part of speech and a frame an entity; what is between the words stays as it is. */
export function taggedText(text: string, { words, others }: Seen): HTMLElement {
  const shown = element("div", { class: "tagged", id: "tagged" });
  let at = 0;
  let entity: HTMLElement | undefined;
  words.forEach((word, index) => {
    const between = text.slice(at, word.start);
    const isInside = word.entity !== "" && !word.isFirst && entity !== undefined;
    if (!isInside) entity = undefined;
    (entity ?? shown).append(between);
    if (word.entity !== "" && entity === undefined) {
      entity = coloured(element("span", { class: "entity" }), word.entity);
      entity.append(element("span", { class: "entity-type" }, word.entity));
      shown.append(entity);
    }
    (entity ?? shown).append(wordView(text, word, others?.[index]));
    at = word.end;
  });
  shown.append(text.slice(at));
  return shown;
}

function wordView(text: string, word: Word, other: Word | undefined): HTMLElement {
  const isOther = differs(word, other);
  const label = element("span", { class: "label" }, word.pos);
  const note = isOther
    ? element("span", { class: "other" }, ` float32: ${other?.pos} ${other?.entity}`)
    : undefined;
  const title = `${word.pos}, ${word.start}–${word.end}`;
  const made = element(
    "span",
    { class: isOther ? "word differs" : "word", title },
    text.slice(word.start, word.end),
    label,
    note,
  );
  return coloured(made, word.pos);
}

/** Each label with its colour and how often it is there. */
export function legend(words: readonly Word[]): HTMLElement {
  const counts = new Map<string, number>();
  for (const { pos } of words) counts.set(pos, (counts.get(pos) ?? 0) + 1);
  const entities = new Map<string, number>();
  for (const { entity, isFirst } of words) {
    if (isFirst) entities.set(entity, (entities.get(entity) ?? 0) + 1);
  }
  const entry =
    (kind: string) =>
    ([label, count]: [string, number]) =>
      element("li", {}, coloured(element("span", { class: kind }, label), label), ` ${count}`);
  const sorted = (map: Map<string, number>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  return element(
    "ul",
    { class: "legend", "aria-label": "Legend" },
    ...sorted(counts).map(entry("swatch")),
    ...sorted(entities).map(entry("swatch framed")),
  );
}

/** Words with offsets and labels, for who reads numbers or listens. */
export function wordTable({ words, others }: Seen): HTMLElement {
  const heads = [
    "word",
    "start",
    "end",
    "part of speech",
    "entity",
    ...(others === undefined ? [] : ["float32 says"]),
  ];
  const rows = words.map((word, index) => {
    const other = others?.[index];
    const cells = [word.form, String(word.start), String(word.end), word.pos, word.entity];
    if (others !== undefined)
      cells.push(differs(word, other) ? `${other?.pos} ${other?.entity}`.trim() : "the same");
    return cells;
  });
  return table("Words and offsets", heads, rows);
}
