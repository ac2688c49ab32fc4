/** Takes a result piece by piece; waits while its reader is slower. */
export type Write = (text: string) => Promise<void> | void;

/** Forms of the result with a sentence at a time; without one, CoNLL-U and columns keep their own. */
export type SentenceFormat = "text" | "conllu" | "json" | "jsonl" | "columns";

/** A word with its label, and its place: UTF-16 units of the whole text, or the line where words are given. */
export interface LabelledWord {
  readonly form: string;
  readonly label: string;
  readonly start?: number;
  readonly end?: number;
  readonly line?: number;
}

/** A sentence with its labels, whatever it was read from. */
export interface LabelledSentence {
  readonly words: readonly LabelledWord[];
  /** UTF-16 units of the whole text before and up to its end; undefined where words are given. */
  readonly start?: number;
  readonly end?: number;
  /**
   * The sentence in a form (undefined: the text's own), without what depends on its place among others: see
   * {@link joinSentences}.
   */
  text(format: SentenceFormat | undefined): string;
}

/** Puts sentences one behind the other. */
export interface Joined {
  /** A sentence's text with what stands before it: its number, or what parts it from the one before. */
  add(text: string): string;
  /** What stands behind the last. */
  end(): string;
}

/** What the texts of sentences are, and the numbers that they get. */
export interface JoinOptions {
  readonly format: SentenceFormat | undefined;
  /** Whether the texts are numbered already, as those of CoNLL-U that was read are. */
  readonly hasNumbers: boolean;
  /** Stands before each number: `3-` makes `3-1`, `3-2`. */
  readonly prefix?: string;
}

/** Joins sentences to one text: numbers in CoNLL-U, commas in JSON. */
export function joinSentences({ format, hasNumbers, prefix = "" }: JoinOptions): Joined {
  let count = 0;
  return {
    add(text) {
      count++;
      if (format === "json") return `${count === 1 ? "[\n" : ",\n"}${text}`;
      if (format === "conllu" && !hasNumbers) return `# sent_id = ${prefix}${count}\n${text}`;
      return text;
    },
    end() {
      if (format !== "json") return "";
      return count === 0 ? "[]\n" : "\n]\n";
    },
  };
}

/** `word/LABEL` with blanks between. */
export function slashedText(words: readonly LabelledWord[]): string {
  return `${words.map(({ form, label }) => `${form}/${label}`).join(" ")}\n`;
}

/** A line a word, its form and its label with a tab between, and an empty line. */
export function columnsText(words: readonly LabelledWord[]): string {
  const rows = words.map(({ form, label }) => `${form.replace(/[\t\r\n]/g, " ")}\t${label}\n`);
  return `${rows.join("")}\n`;
}
