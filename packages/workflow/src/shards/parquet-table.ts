import { parquetWriteBuffer } from "hyparquet-writer";
import type { LabelledSentence } from "../tagging/tagged-text.js";

/** Rows of a shard, a row a word. */
export interface ParquetTable {
  add(sentence: LabelledSentence): void;
  /** The whole file. */
  bytes(): Uint8Array;
}

/**
 * Collects a shard's words in columns: `input`, `shard`, `sentence` and `word` (from 1), `form`, `label`, and the
 * places `start`, `end`, `sentence_start`, `sentence_end` in UTF-16 units of the text, or `line` where words are given.
 */
export function makeParquetTable(input: string, shard: number): ParquetTable {
  const sentence: number[] = [];
  const word: number[] = [];
  const form: string[] = [];
  const label: string[] = [];
  const places = {
    start: [] as (bigint | null)[],
    end: [] as (bigint | null)[],
    sentence_start: [] as (bigint | null)[],
    sentence_end: [] as (bigint | null)[],
    line: [] as (bigint | null)[],
  };
  const place = (value: number | undefined): bigint | null => (value === undefined ? null : BigInt(value));
  let sentences = 0;
  return {
    add({ words, start, end }) {
      sentences++;
      for (const [index, one] of words.entries()) {
        sentence.push(sentences);
        word.push(index + 1);
        form.push(one.form);
        label.push(one.label);
        places.start.push(place(one.start));
        places.end.push(place(one.end));
        places.sentence_start.push(place(start));
        places.sentence_end.push(place(end));
        places.line.push(place(one.line));
      }
    },
    bytes() {
      const { length } = word;
      const text = { type: "STRING", nullable: false } as const;
      const small = { type: "INT32", nullable: false } as const;
      const buffer = parquetWriteBuffer({
        columnData: [
          { name: "input", data: Array.from({ length }, () => input), ...text },
          { name: "shard", data: new Int32Array(length).fill(shard), ...small },
          { name: "sentence", data: Int32Array.from(sentence), ...small },
          { name: "word", data: Int32Array.from(word), ...small },
          { name: "form", data: form, ...text },
          { name: "label", data: label, ...text },
          ...Object.entries(places).map(([name, data]) => ({ name, data, type: "INT64" as const })),
        ],
        createdBy: "nasty",
        rowGroupSize: 1 << 20,
      });
      return new Uint8Array(buffer);
    },
  };
}
