import { columnNames, isStandardColumn } from "./columns.js";

/**
 * The columns that every row has, as text; `_` means "not given" (in FORM and LEMMA it may also be the character).
 * FEATS, DEPS and MISC stay as written: `featsOf`, `depsOf` and `miscOf` take them apart on demand.
 */
export interface Columns {
  readonly form: string;
  readonly lemma: string;
  readonly upos: string;
  readonly xpos: string;
  readonly feats: string;
  /** Number of the governing word, 0 for the root, undefined where the file has `_`. */
  readonly head: number | undefined;
  readonly deprel: string;
  readonly deps: string;
  readonly misc: string;
  /** Values of the columns that CoNLL-U does not know, in the order of `Sentence.columns` (CoNLL-U Plus). */
  readonly extra?: readonly string[];
}

/** A syntactic word, numbered from 1. */
export interface Word extends Columns {
  readonly kind: "word";
  readonly id: number;
}

/** A range such as `2-3`: one token of the text that holds several words. */
export interface MultiwordToken extends Columns {
  readonly kind: "multiword";
  readonly first: number;
  readonly last: number;
}

/** A node such as `5.1` of the enhanced graph: the `index`-th one behind word `after` (0: before the first word). */
export interface EmptyNode extends Columns {
  readonly kind: "empty";
  readonly after: number;
  readonly index: number;
}

export type Row = Word | MultiwordToken | EmptyNode;

/** A sentence, complete: serializing what was read from a valid file gives back its bytes. */
export interface Sentence {
  /** Comment lines as written, with their `#`. */
  readonly comments: readonly string[];
  /** Words, multiword tokens and empty nodes in the order of the file. */
  readonly rows: readonly Row[];
  /** Line of the file on which the sentence begins, from 1, where it was read from one. */
  readonly line?: number;
  /** Names of the columns where they are not the ten of CoNLL-U: those of `# global.columns` (CoNLL-U Plus). */
  readonly columns?: readonly string[];
  /** Comment lines before the sentence that belong to none: an empty line stands behind each block. */
  readonly blocksBefore?: readonly (readonly string[])[];
  /** Comment blocks behind the last sentence of a file. */
  readonly blocksAfter?: readonly (readonly string[])[];
}

/**
 * The syntactic words of a sentence: no multiword tokens, no empty nodes. These are what accuracy counts.
 *
 * @example
 * ```ts
 * words(parseConllu(text)[0]).map((word) => word.upos);
 * ```
 */
export function words(sentence: Sentence): Word[] {
  const found: Word[] = [];
  for (const row of sentence.rows) if (row.kind === "word") found.push(row);
  return found;
}

/** The ID column of a row: `3`, `2-3` or `5.1`. */
export function idOf(row: Row): string {
  switch (row.kind) {
    case "word":
      return String(row.id);
    case "multiword":
      return `${row.first}-${row.last}`;
    case "empty":
      return `${row.after}.${row.index}`;
    default:
      return row satisfies never;
  }
}

/** Line of the file that holds the row at this index, where the sentence was read from a file. */
export function lineOf(sentence: Sentence, rowIndex: number): number | undefined {
  return sentence.line === undefined ? undefined : sentence.line + sentence.comments.length + rowIndex;
}

/**
 * The value of the comment `# key = value`, or undefined.
 *
 * @example
 * ```ts
 * commentValue(sentence, "sent_id");
 * ```
 */
export function commentValue(sentence: Sentence, key: string): string | undefined {
  for (const comment of sentence.comments) {
    const equals = comment.indexOf("=");
    if (equals > 0 && comment.slice(1, equals).trim() === key) return comment.slice(equals + 1).trim();
  }
  return undefined;
}

/**
 * The value of a column by its name in the file: one of the ten, or one that `# global.columns` adds; undefined where
 * there is none.
 *
 * @example
 * ```ts
 * columnOf(sentence, word, "PARSEME:MWE"); // "1:VPC"
 * ```
 */
export function columnOf(sentence: Sentence, row: Row, name: string): string | undefined {
  const names = sentence.columns ?? columnNames;
  if (!names.includes(name)) return undefined;
  const standard = standardColumn(row, name);
  if (standard !== undefined) return standard;
  const others = names.filter((other) => !isStandardColumn(other));
  return row.extra?.[others.indexOf(name)];
}

/** The value of one of the ten columns, as it is written. */
export function standardColumn(row: Row, name: string): string | undefined {
  switch (name) {
    case "ID":
      return idOf(row);
    case "FORM":
      return row.form;
    case "LEMMA":
      return row.lemma;
    case "UPOS":
      return row.upos;
    case "XPOS":
      return row.xpos;
    case "FEATS":
      return row.feats;
    case "HEAD":
      return row.head === undefined ? "_" : String(row.head);
    case "DEPREL":
      return row.deprel;
    case "DEPS":
      return row.deps;
    case "MISC":
      return row.misc;
    default:
      return undefined;
  }
}
