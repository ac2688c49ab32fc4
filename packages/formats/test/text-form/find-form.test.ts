import { describe, expect, it } from "vitest";
import { findTextForm, labelColumnFor } from "../../src/text-form/index.js";
import { formOfName } from "../../src/text-form/form-of-name.js";

const formOf = (text: string, name = ""): string => findTextForm(text, { name, isWhole: true }).form;
/** The form, whatever the name of the file says. */
const always = (text: string): string | string[] => {
  const names = ["", "a.txt", "a.conll", "a.conllu", "a.iob2", "a.tsv", "notes.md"];
  const found = [...new Set(names.map((name) => formOf(text, name)))];
  return found.length === 1 ? (found[0] as string) : found;
};
const row = (id: string, form: string): string => `${id}\t${form}\t_\tX\t_\t_\t_\t_\t_\t_\n`;

describe("what is CoNLL-U whatever its name", () => {
  it.each([
    ["rows of ten columns", `# sent_id = 1\n${row("1", "Hi")}\n`],
    ["a range first", `${row("1-2", "don't")}${row("1", "do")}${row("2", "n't")}\n`],
    ["an empty node first", `${row("0.1", "_")}${row("1", "do")}\n`],
    ["CR LF and a byte order mark", `\uFEFF# a = b\r\n${row("1", "Hi").replace("\n", "\r\n")}\r\n`],
    ["a row with too few columns", "# text = a\n1\ta\t_\tDET\t_\t_\t_\t_\t_\n\n"],
    ["declared columns", "# global.columns = ID FORM UPOS\n1\tI\tPRON\n2\trun\tVERB\n\n"],
    ["declared columns without IDs", "# global.columns = FORM UPOS\nI\tPRON\n\n"],
    ["declared columns behind other comments", "# a\n\n# global.columns = ID FORM PARSEME:MWE\n1\tI\t*\n"],
  ])("%s", (_, text) => expect(always(text)).toBe("conllu"));
});

describe("what is columns whatever its name", () => {
  it.each([
    ["two columns, tabs", "Oslo\tB-LOC\nis\tO\n\n"],
    ["two columns, blanks", "Ada B-PER\nlives O\n\n"],
    ["one row", "Oslo\tB-LOC\n"],
    ["only what is outside", "it\tO\nis\tO\nlate\tO\n\n"],
    ["CoNLL-2003", "-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n. . O O\n\n"],
    ["CoNLL-2003 without the start of a document", "tampa NN B-NP B-LOC\nbay NN B-NP I-LOC\n, NN B-NP O\n"],
    ["a document without rows yet", "-DOCSTART- -X- O O\n\nEU NNP - O\n"],
    ["numbered", "# sent_id = 1\n# text = In Oslo\n1\tIn\tO\t-\t-\n2\tOslo\tB-LOC\t-\tx\n\n"],
    [
      "numbered, two label columns",
      "#\thttp://a/b [2009]\n1\tDie\tO\tO\n2\tARD\tB-ORG\tB-ORGpart\n3\tda\tO\tO\n",
    ],
    ["untyped chunks", "The\tO\nPI3K\tB\npathway\tI\nTNF\tB\nworks\tO\n\n"],
    ["untyped chunks, blanks", "The O\nPI3K B\npathway I\nTNF B\nworks O\n\n"],
    ["types without prefix", "Ada PER\nLovelace PER\nlives O\nhere O\n\n"],
    ["types without prefix, tabs", "Ada\tperson\nlives\tO\nhere\tO\n\n"],
    ["BIOES with underscore", "Ada\tB_PER\nLovelace\tE_PER\nlives\tO\n\n"],
    ["the prefix behind", "Ada\tPER-B\nLovelace\tPER-I\nlives\tO\n\n"],
    ["labels of a tokenizer among them", "Ada B-PER\nLovelace [SEP]\nlives O\n\n"],
    ["universal tags", "The\tDET\ncat\tNOUN\nsat\tVERB\n"],
    ["universal tags, blanks", "The DET\ncat NOUN\nsat VERB\n. PUNCT\n\n"],
    ["Penn tags", "The\tDT\ncat\tNN\nsat\tVBD\n.\t.\n\nHe\tPRP\nran\tVBD\n.\t.\n\n"],
    ["Penn tags, blanks", "The DT\ncat NN\nsat VBD\n. .\n\nHe PRP\nran VBD\n. .\n\n"],
    [
      "any labels that repeat over sentences",
      "dog\tn1\nruns\tv\n\ncat\tn1\nsits\tv\n\nrain\tn1\nfalls\tv\n\n",
    ],
    ["hashtags and blank words", "#MH17\tB-X\nis\tO\n \tO\n#\tO\n\n"],
    ["a row at fault among them", "a\tO\nb\tO\nc\nd\tB-X\ne\tO\nf\tO\n\n"],
    ["a row at fault in a file of three", "a O\nb\nc O\n"],
  ])("%s", (_, text) => expect(always(text)).toBe("columns"));
});

const prose =
  "The plan is B. We went to the river and stayed until the sun had gone down behind the hills.\nBlood type O\nVitamin B\n";

describe("what is plain text whatever its name", () => {
  it.each([
    ["prose", prose],
    ["prose with tabs", "\tIt was late.\tNobody spoke.\n\tThen a door opened, slowly.\nA cat came in.\n"],
    [
      "prose on lines of their own, indented with a tab",
      "\tOne line of prose here.\n\tAnother one, a bit longer.\n",
    ],
    ["a Markdown table", "| name | age |\n|---|---|\n| Ada | 36 |\n| Alan | 41 |\n"],
    ["a Markdown table in blanks like columns", "| Ada B-PER |\n| ran O |\n"],
    ["sentences and classes", "I liked it a lot\tPOS\nA waste of time\tNEG\nIt was fine\tNEU\n"],
    ["questions and answers", "Who was Ada?\tA mathematician.\nWhere is Oslo?\tIn Norway.\n"],
    ["a table of numbers", "the\t50000\nof\t30211\nand\t28000\nto\t2.5e\n".replace("2.5e", "25000")],
    ["a table of dates", "Oslo\t2020-01-02\nParis\t2020-02-03\nRome\t2020-03-04\n"],
    ["one line that ends like a label", "San Francisco has a great place called B-side.\n"],
    [
      "two such lines",
      "San Francisco has a great place called B-side.\n5:30 pm at 3800 Montlake Boulevard.\n",
    ],
    ["an address", "are you going to 21001 San Ramon Valley Boulevard Ste E-3?\n"],
    ["comma-separated values", "name,age\nAda,36\nAlan,41\n"],
    ["JSON", '{\n  "a": 1,\n  "b": [2, 3]\n}\n'],
    ["verse", "Rain falls on the roof\nall night\nand in the morning\nthe street shines\n"],
    ["a program", "for (const a of b) {\n\tif (a) continue;\n\tconsole.log(a);\n}\n"],
    ["a list with numbers", "1. Buy milk\n2. Call the bank\n3. Go home early\n"],
    ["a log", "12:01 INFO server started\n12:02 WARN disk is nearly full\n12:03 INFO request served O\n"],
  ])("%s", (_, text) => expect(formOf(text)).toBe("plain"));

  it.each([
    prose,
    "I liked it a lot\tPOS\nA waste of time\tNEG\n",
    "Who was Ada?\tA mathematician.\nWhere?\tHere, I think.\n",
  ])("%j, even if the name says columns", (text) => {
    expect(formOf(text, "a.conll")).toBe("plain");
    expect(findTextForm(text, { name: "a.iob2", isWhole: true }).by).toBe("content");
  });
});

describe("what the content leaves open", () => {
  it.each([
    ["one word a line", "The\ncat\nsat\n"],
    ["a dictionary", "dog\tHund\ncat\tKatze\nhouse\tHaus\n"],
    ["a table of two names", "France\tEurope\nJapan\tAsia\nChina\tAsia\nSpain\tEurope\n"],
    ["names of people", "Ada Lovelace\nAlan Turing\nGrace Hopper\n"],
    ["people of one family", "John Smith\nMary Smith\nBob Smith\nAnn Smith\n"],
    ["capitals", "JOHN SMITH\nMARY SMITH\nANN JONES\n"],
    ["one line of two words", "Good morning\n"],
  ])("%s: plain text unless the name says columns", (_, text) => {
    for (const name of ["", "words.txt", "words.tsv", "words.md", "words"]) {
      expect(formOf(text, name)).toBe("plain");
    }
    expect(formOf(text, "words.conll")).toBe("columns");
    expect(findTextForm(text, { name: "words.conll", isWhole: true }).by).toBe("name");
    expect(findTextForm(text, { name: "words.tsv", isWhole: true }).by).toBe("default");
  });

  it("prose that was cut into words, a sentence a line: plain text without a remark", () => {
    const text = "the cat sleeps .\nthe dog runs .\nthey see us !\n\n".repeat(9);
    expect(findTextForm(text, { isWhole: true })).toMatchObject({ form: "plain" });
    expect(findTextForm(text, { isWhole: true }).isClose).toBeUndefined();
  });

  it("a few words and labels that could be anything: the name", () => {
    expect(formOf("dog noun2\nruns v\n", "short.conll")).toBe("columns");
    expect(formOf("dog\tn\nruns\tv\n", "short.conll")).toBe("columns");
  });

  it("a damaged file that is named CoNLL-U stays one, prose with that name does not", () => {
    expect(formOf("1 The the DET _ _ 2 det _ _\n2 cat cat NOUN _ _ 0 root _ _\n", "a.conllu")).toBe("conllu");
    expect(formOf("# text = The cat\nThe\ncat\n", "a.conllu")).toBe("conllu");
    expect(formOf("The cat sat on the mat.\nIt was late.\n", "a.conllu")).toBe("plain");
  });

  it("nothing to see: the name, else plain text", () => {
    expect(["a.conllu", "a.txt", "a.iob2.gz", "a"].map((name) => formOf("\n\n", name))).toEqual([
      "conllu",
      "plain",
      "columns",
      "plain",
    ]);
  });
});

describe("findTextForm", () => {
  it("says what decides", () => {
    expect(findTextForm("Ada\tB-PER\nran\tO\n", { name: "a.txt", isWhole: true })).toEqual({
      form: "columns",
      by: "content",
      why: "a column holds labels of entities",
    });
  });

  it("leaves out a last line that may be cut", () => {
    const text = "Ada\tB-PER\nran\tO\nhome\tO\nto\tO\nth";
    expect(findTextForm(text).form).toBe("columns");
    expect(findTextForm("The cat sat on the mat and th").form).toBe("plain");
  });

  it("takes a text of many rows in time that does not grow", () => {
    const long = "word\tlabel-of-its-own\n".repeat(200_000);
    expect(findTextForm(long).form).toBe("plain");
  });

  it("knows endings under compression", () => {
    expect(["a.CONLLU.gz", "b.iob2.br", "c.bioes", "d.text", "e", "f.tsv", "g.cupt"].map(formOfName)).toEqual(
      ["conllu", "columns", "columns", "plain", undefined, undefined, "conllu"],
    );
  });
});

describe("labelColumnFor", () => {
  const news = "EU NNP B-NP B-ORG\nrejects VBZ B-VP O\n. . O O\n\n";
  it.each([
    ["CoNLL-2003, entities", news, "ner", 4, "entities"],
    ["CoNLL-2003, parts of speech", news, "pos", 2, "parts of speech"],
    ["CoNLL-2003, whatever", news, undefined, 4, "entities"],
    [
      "two columns of entities, though parts of speech are asked for",
      "Ada\tB-PER\nran\tO\n\n",
      "pos",
      2,
      "entities",
    ],
    ["two columns of parts of speech", "The\tDET\ncat\tNOUN\n\n", "ner", 2, "parts of speech"],
    ["types without prefix", "Ada\tPER\nran\tO\nhome\tO\n\n", "ner", 2, "entities"],
    ["any labels", "dog\tn1\nruns\tv\n\n", "pos", 2, "labels"],
    ["numbered", "1\tIn\tO\t-\t-\n2\tOslo\tB-LOC\t-\tx\n\n", "ner", 3, "entities"],
    ["numbered, types without prefix", "1\tAda\tPER\n2\tran\tO\n3\thome\tO\n\n", "ner", 3, "entities"],
    [
      "numbered, parts of speech before entities",
      "1\tAda\tPROPN\tB-PER\n2\tran\tVERB\tO\n3\tto\tADP\tO\n\n",
      "pos",
      3,
      "parts of speech",
    ],
  ] as const)("%s", (_, text, task, column, content) =>
    expect(labelColumnFor(text, task)).toMatchObject({ column, content }),
  );

  it("nothing where there are no columns", () => {
    expect(labelColumnFor("one\ntwo\n", "pos")).toBeUndefined();
    expect(labelColumnFor("", "ner")).toBeUndefined();
  });
});
