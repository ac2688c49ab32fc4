import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.remove());

const tag = async (model: "pos" | "ner", name: string, ...args: string[]) => {
  const ended = await shop.nasty(["tag", "--model", model, name, ...args]);
  expect(ended.code, ended.stderr).toBe(0);
  return ended;
};

// Line ends of Windows, a byte order mark, several empty lines, comment blocks and ranges: all of it must come back.
const conllu = [
  "\uFEFF# licence",
  "",
  "# sent_id = 1\r",
  "# text = The cat sat",
  "1-2\tThecat\t_\t_\t_\t_\t_\t_\t_\tX=1",
  "1\tThe\tthe\tX\tDT\tA=B\t2\tdet\t2:det\t_\r",
  "2\tcat\tcat\tX\tNN\t_\t3\tnsubj\t3:nsubj\tSpaceAfter=No|ner=O",
  "2.1\tdog\t_\tNOUN\t_\t_\t_\t_\t3:nsubj\t_",
  "3\tsat\tsit\tX\t_\t_\t0\troot\t0:root\tNER=B-PER",
  "",
  "\t",
  "1\tParis\t_\t_\t_\t_\t_\t_\t_\tGloss=a|Gloss=b",
  "",
  "# the end",
  "",
].join("\n");

describe("tag of words that are given", () => {
  test("CoNLL-U: UPOS is replaced, all else is as it was, byte for byte", async () => {
    await shop.write("words.txt", conllu);
    const { stdout, stderr } = await tag("pos", "words.txt");
    const expected = conllu
      .replace("The\tthe\tX", "The\tthe\tDET")
      .replace("cat\tcat\tX", "cat\tcat\tNOUN")
      .replace("sat\tsit\tX", "sat\tsit\tVERB")
      .replace("Paris\t_\t_", "Paris\t_\tPROPN");
    expect(stdout).toBe(expected);
    expect(stderr).toBe("words.txt is read as CoNLL-U: its words are kept\n");
    expect((await tag("pos", "words.txt", "--format", "conllu")).stdout).toBe(expected);
  });

  test("CoNLL-U: entities go to MISC, to the key that is there", async () => {
    await shop.write("entities.conllu", conllu);
    expect((await tag("ner", "entities.conllu")).stdout).toBe(
      conllu.replace("NER=B-PER", "NER=O").replace("Gloss=a|Gloss=b", "Gloss=a|Gloss=b|NER=B-LOC"),
    );
    await shop.write("lower.conllu", conllu.replace("Gloss=a|Gloss=b", "ner=O|Gloss=b"));
    expect((await tag("ner", "lower.conllu")).stdout).toContain("\tner=B-LOC|Gloss=b\n");
  });

  test("CoNLL-U Plus: its own columns", async () => {
    const plus =
      "# global.columns = FORM NER UPOS X:MWE\nThe\tO\t_\t*\ncat\tB-PER\t_\t1:VPC\n\nParis\t_\t_\t*\n\n# end\n\n";
    await shop.write("plus", plus);
    expect((await tag("pos", "plus")).stdout).toBe(
      plus.replace("O\t_", "O\tDET").replace("B-PER\t_", "B-PER\tNOUN").replace("_\t_\t*", "_\tPROPN\t*"),
    );
    expect((await tag("ner", "plus")).stdout).toBe(
      plus.replace("cat\tB-PER", "cat\tO").replace("Paris\t_", "Paris\tB-LOC"),
    );
    await shop.write("few.txt", "# global.columns = ID FORM\n1\tThe\n\n");
    expect(await shop.refused(3, ["tag", "--model", "pos", "few.txt"])).toMatch(
      /few\.txt: line 1: global\.columns: expected UPOS for the labels, got ID FORM; /,
    );
    expect((await tag("pos", "few.txt", "--format", "text")).stdout).toBe("The/DET\n");
  });

  test("columns: the column of the task is replaced, blanks and comments stay", async () => {
    const news =
      "-DOCSTART- -X- O O\n\n# id = 1\nAda  NN   I-NP B-LOC\r\nran NN B-VP  O \n\n\nParis NN I-NP B-PER";
    await shop.write("news.txt", news);
    expect((await tag("ner", "news.txt")).stdout).toBe(
      news
        .replace("B-LOC", "B-PER")
        .replace("B-PER", "B-PER")
        .replace(/B-PER$/, "B-LOC"),
    );
    expect((await tag("pos", "news.txt")).stdout).toBe(
      news.replace("Ada  NN", "Ada  PROPN").replace("ran NN", "ran VERB").replace("Paris NN", "Paris PROPN"),
    );
    const numbered = "# text = x\n1\tIn\tO\t-\tme\n2-3\tPariss\tO\n2\tParis\tO\t-\tme\n\n";
    await shop.write("numbered", numbered);
    expect((await tag("ner", "numbered")).stdout).toBe(numbered.replace("Paris\tO", "Paris\tB-LOC"));
  });

  test("labels of the other task are not written over; other formats say them", async () => {
    await shop.write("pairs.txt", "Ada\tB-PER\nran\tO\n\n");
    expect(await shop.refused(3, ["tag", "--model", "pos", "pairs.txt"])).toMatch(
      /column 2: expected a column of parts of speech.*got one of entities; give --format text/,
    );
    expect((await tag("pos", "pairs.txt", "--format", "text")).stdout).toBe("Ada/PROPN ran/VERB\n");
    expect(JSON.parse((await tag("pos", "pairs.txt", "--json")).stdout)).toEqual([
      {
        input: "columns",
        words: [
          { form: "Ada", label: "PROPN", line: 1 },
          { form: "ran", label: "VERB", line: 2 },
        ],
      },
    ]);
    expect((await tag("pos", "pairs.txt", "--format", "conllu")).stdout).toMatch(
      /^# sent_id = 1\n# text = Ada ran\n1\tAda\t_\tPROPN\t.*\n2\tran\t_\tVERB\t/,
    );
  });

  test("standard input and gzip are no different", async () => {
    await shop.write("words.gz", gzipSync(conllu));
    const fromGzip = (await tag("pos", "words.gz")).stdout;
    expect(fromGzip).toContain("Paris\t_\tPROPN");
    const ended = await shop.nasty(["tag", "--model", "pos"], { input: conllu });
    expect(ended.stdout).toBe(fromGzip);
  });

  test("--input-format goes before the content", async () => {
    await shop.write("said.txt", "Ada\tB-PER\nran\tO\n\n");
    expect((await tag("pos", "said.txt", "--input-format", "plain")).stdout).toMatch(/^Ada\/PROPN B/);
    expect(
      (
        await tag(
          "pos",
          "said.txt",
          "--input-format",
          "other.txt=columns",
          "--input-format",
          "said.txt=plain",
        )
      ).stdout,
    ).toMatch(/^Ada\/PROPN B/);
    await shop.write("vertical", "The dog\nsat sit\n");
    expect((await tag("pos", "vertical", "--input-format", "columns")).stdout).toBe("The DET\nsat VERB\n");
    await shop.refused(2, ["tag", "--model", "pos", "said.txt", "--input-format", "conll"]);
  });

  test("a text that could be taken otherwise gets a remark", async () => {
    await shop.write("open.tsv", "dog\tHund\ncat\tKatze\n");
    const { stderr } = await tag("pos", "open.tsv");
    expect(stderr).toBe(
      "open.tsv is read as plain text: its last column may hold labels or other things; if it is words and labels, say --input-format columns\n",
    );
  });

  test("a sentence without end: a typed error, nothing of it kept", async () => {
    const row = "1\tword\t_\t_\t_\t_\t_\t_\t_\t_\n";
    await shop.write("endless.gz", gzipSync(row.repeat(200_000)));
    expect(await shop.refused(3, ["tag", "--model", "pos", "endless.gz"])).toMatch(
      /line 131073: sentence: expected at most 131072 lines before an empty line, got more/,
    );
  });
});
