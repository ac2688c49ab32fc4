import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  allowedTransitions,
  convertLabels,
  findForm,
  findFormOfSentences,
  foreignLabels,
  formInScheme,
  hyphenated,
  type LabelForm,
  labelReader,
  labelsOf,
  type PositionScheme,
  type Span,
  spansOf,
  typesOf,
} from "../../src/iob/index.js";

const split = (text: string): string[] => text.split(" ");

/** How labels are found to be spelled: `BIOES prefix -`, `untyped BMES`, or `none`. */
function found(labels: string): string {
  const { form, isAmbiguous } = findForm(split(labels));
  const doubt = isAmbiguous ? "?" : "";
  if (form === undefined) return `none${doubt}`;
  const { scheme, isTyped, side, separator } = form;
  if (!isTyped) return `untyped ${scheme}${doubt}`;
  return separator === "" ? `${scheme} bare${doubt}` : `${scheme} ${side} ${separator}${doubt}`;
}

describe("findForm", () => {
  it.each([
    ["O B-PER I-PER", "IOB2 prefix -"],
    ["B-PER", "IOB2 prefix -"],
    ["O B-PER I-PER [CLS] [SEP] X", "IOB2 prefix -"],
    ["<pad> O B-PER I-PER _ -X- [PAD] <s> </s> __PAD__", "IOB2 prefix -"],
    ["O B-PER I-PER B-LOC I-LOC OTHER", "IOB2 prefix -"],
    ["O I-PER I-LOC B-LOC", "IOB1 prefix -"],
    ["O I-PER I-LOC", "IO prefix -"],
    ["O B-PER I-PER E-PER S-PER", "BIOES prefix -"],
    ["O B-PER I-PER L-PER U-PER", "BIOES prefix -"],
    ["O B-PER M-PER E-PER S-PER", "BMES prefix -"],
    ["O B-PER M-PER E-PER W-PER", "BMES prefix -"],
    ["O B_PER I_PER", "IOB2 prefix _"],
    ["O PER-B PER-I", "IOB2 suffix -"],
    ["O PER_B PER_I PER_E PER_S", "BIOES suffix _"],
    ["O B-WORK_OF_ART I-WORK_OF_ART", "IOB2 prefix -"],
    ["O B-creative-work I-creative-work", "IOB2 prefix -"],
    ["O B I", "untyped IOB2"],
    ["O I", "untyped IO"],
    ["B M E S", "untyped BMES"],
    ["O B I E S [SEP]", "untyped BIOES"],
    ["O PER LOC", "IO bare"],
    ["O person location creative-work", "IO bare"],
    ["O B-NP I-NP B-VP I-VP B-INTJ", "IOB2 prefix -"],
  ])("of %s is %s", (labels, form) => expect(found(labels)).toBe(form));

  // UPOS, Penn Treebank, Brown, STTS, CLAWS, PROIEL, Prague Arabic, tweets (single letters), joint cutting and tagging.
  it.each([
    ["ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X _", "none"],
    [
      "CC CD DT EX FW IN JJ LS MD NN NNP NNPS PRP$ WP$ HYPH -LRB- -RRB- XX ADD AFX NFP . , : '' `` $ #",
      "none",
    ],
    ["NN-TL NN-HL FW-NN BE BEDZ* AT-TL ' --", "none"],
    ["$. $( $, ADJA ADJD ART NN VVFIN", "none"],
    ["AJ0 AJ0-AV0 NN1 NN1-VVB", "none"],
    ["A- Df S- Ma I- R- X- B-", "none"],
    ["N------S1D S----3MS2- P--------- I--------- VIIA-3MS--", "none"],
    ["A S V I E B U L M N O", "none?"],
    ["N O ^ S Z V A R ! D P & T X L M Y # @ ~ U E $ , G", "none?"],
    ["M P VV NN AS BA LB SB", "none"],
    ["NN_S NN_H VB_I", "none?"],
    ["B_ADJ I_ADJ B_NOUN I_NOUN B_VERB", "none?"],
    ["NOUN VERB B-NOUN I-NOUN B-VERB I-VERB", "none?"],
    ["O COMMA PERIOD QUESTION", "none?"],
    ["O B-PER NOUN VERB ADJ", "none?"],
    ["LABEL_0 LABEL_1", "none"],
    ["O", "none?"],
    ["X", "none"],
    ["S", "none"],
    ["O S", "none?"],
  ])("of the tags %s is %s", (labels, form) => expect(found(labels)).toBe(form));

  it("takes names for IO where they are told to be types", () => {
    const { form } = findForm(["DISH", "DRINK"], { types: ["DISH", "DRINK"] });
    expect(form).toMatchObject({ scheme: "IO", separator: "" });
  });
});

describe("findFormOfSentences", () => {
  it.each([
    ["O I-PER I-PER B-PER", "IOB1"],
    ["O B-PER I-PER I-PER", "IOB2"],
    ["I-PER O B-PER", "IOB2"],
  ])("of %s is %s", (labels, scheme) => {
    expect(findFormOfSentences([split(labels)]).form?.scheme).toBe(scheme);
  });

  it("takes the scheme that it is told where it is theirs", () => {
    const sentences = [split("O FOO BAR")];
    expect(findFormOfSentences(sentences, { scheme: "IO" })).toMatchObject({
      form: { scheme: "IO" },
      reason: "as asked for",
    });
    expect(findFormOfSentences(sentences, { scheme: "BIOES" }).form).toBeUndefined();
  });
});

describe("formInScheme", () => {
  it.each([
    ["IO", "O FOO BAR", true],
    ["IO", "O I-FOO", true],
    ["IO", "O B-FOO I-FOO", false],
    ["IOB1", "O B-FOO I-FOO", true],
    ["IOB2", "O B I", true],
    ["BIOES", "O B-FOO I-FOO", false],
    ["BIOES", "O S-FOO", true],
    ["BMES", "O B-FOO M-FOO E-FOO", true],
    ["BMES", "O B-FOO I-FOO E-FOO", false],
    ["untyped", "O B I", true],
    ["untyped", "O B-FOO", false],
    ["IOB2", "NOUN VERB", false],
    ["IOB2", "O [SEP]", false],
  ] as const)("%s of %s: %s", (scheme, labels, fits) => {
    expect(formInScheme(split(labels), scheme) !== undefined).toBe(fits);
  });
});

const schemes = ["IOB1", "IOB2", "BIOES", "BMES", "IO"] as const satisfies readonly PositionScheme[];

const forms: readonly LabelForm[] = schemes.flatMap((scheme) => {
  const typed = (["prefix", "suffix"] as const).flatMap((side) =>
    (["-", "_"] as const).map((separator): LabelForm => ({ ...hyphenated(scheme), side, separator })),
  );
  const untyped: LabelForm = { ...hyphenated(scheme), isTyped: false, separator: "" };
  const bare: LabelForm[] = scheme === "IO" ? [{ ...hyphenated("IO"), separator: "" }] : [];
  return [...typed, untyped, ...bare];
});

const length = 12;

/** Entities of up to three words with or without words between them. */
const spans = fc
  .array(
    fc.record({
      gap: fc.nat(2),
      size: fc.integer({ min: 1, max: 3 }),
      type: fc.constantFrom("PER", "A-b_c"),
    }),
    {
      maxLength: 4,
    },
  )
  .map((parts) => {
    const made: Span[] = [];
    let at = 0;
    for (const { gap, size, type } of parts) {
      const start = at + gap;
      if (start + size > length) break;
      made.push({ type, start, end: start + size });
      at = start + size;
    }
    return made;
  });

/** IO cannot tell neighbours of one type apart. */
const joined = (all: readonly Span[]): Span[] =>
  all.reduce<Span[]>((done, span) => {
    const last = done.at(-1);
    if (last?.end !== span.start || last.type !== span.type) return [...done, span];
    return [...done.slice(0, -1), { ...last, end: span.end }];
  }, []);

describe("labels of every scheme and spelling", () => {
  it("give their entities back", () => {
    fc.assert(
      fc.property(spans, fc.constantFrom(...forms), (entities, form) => {
        const named = form.isTyped ? entities : entities.map((span) => ({ ...span, type: "" }));
        const labels = labelsOf(named, length, form);
        expect(spansOf(labels, form)).toEqual(form.scheme === "IO" ? joined(named) : named);
      }),
      { seed: 11, numRuns: 2000 },
    );
  });

  it("are found to be what they are, whatever helpers are among them", () => {
    fc.assert(
      fc.property(spans, fc.constantFrom(...forms), (entities, form) => {
        fc.pre(entities.length > 0 && form.isTyped && form.separator !== "");
        const labels = labelsOf(entities, length, form);
        const { form: seen } = findForm([...labels, "O", "[CLS]", "X"]);
        expect(seen).toMatchObject({ side: form.side, separator: form.separator });
        expect(spansOf(labels, seen)).toEqual(spansOf(labels, form));
      }),
      { seed: 12, numRuns: 1000 },
    );
  });

  it("differ between IOB1 and IOB2 only where an entity begins", () => {
    fc.assert(
      fc.property(spans, (entities) => {
        const [one, two] = [labelsOf(entities, length, "IOB1"), labelsOf(entities, length, "IOB2")];
        const starts = new Map(entities.map((span, i) => [span.start, i]));
        one.forEach((label, at) => {
          const entity = starts.get(at);
          const before = entity === undefined ? undefined : entities[entity - 1];
          const adjoins = before?.end === at && before.type === entities[entity as number]?.type;
          expect(label !== two[at]).toBe(entity !== undefined && !adjoins);
        });
      }),
      { seed: 13, numRuns: 500 },
    );
  });

  it("of random text never throw, and convert to labels with the same entities", () => {
    const label = fc.oneof(
      fc.string({ maxLength: 5 }),
      fc.constantFrom(
        "O",
        "B-A",
        "I-A",
        "E-A",
        "S-A",
        "M-A",
        "B-B",
        "A-B",
        "A_I",
        "B",
        "I",
        "[SEP]",
        "-",
        "B-",
        "-B",
      ),
    );
    fc.assert(
      fc.property(
        fc.array(fc.array(label, { maxLength: 8 }), { maxLength: 3 }),
        fc.constantFrom(...forms),
        (sentences, form) => {
          const { form: seen } = findFormOfSentences(sentences);
          for (const labels of sentences) {
            for (const reading of seen === undefined ? [form] : [form, seen]) {
              const entities = spansOf(labels, reading);
              if (entities.every(({ type }) => type !== "")) {
                expect(spansOf(convertLabels(labels, "BIOES", reading), "BIOES")).toEqual(entities);
              }
              expect(allowedTransitions(labels, reading).begin).toHaveLength(labels.length);
            }
          }
        },
      ),
      { seed: 14, numRuns: 3000 },
    );
  });
});

describe("allowedTransitions", () => {
  it("allow what a scheme writes, and what it writes is allowed", () => {
    fc.assert(
      fc.property(spans, fc.constantFrom(...forms), (entities, form) => {
        const named = form.isTyped ? entities : entities.map((span) => ({ ...span, type: "" }));
        const labels = labelsOf(named, length, form);
        const { follow, begin, end } = allowedTransitions(labels, form);
        expect([begin[0], end[length - 1]]).toEqual([1, 1]);
        for (let at = 1; at < length; at++) expect(follow[(at - 1) * length + at]).toBe(1);
      }),
      { seed: 15, numRuns: 1000 },
    );
  });

  it("allow only sequences that stay as they are when their entities are written again", () => {
    const letters = { IOB1: "BI", IOB2: "BI", BIOES: "BIES", BMES: "BMES", IO: "I" };
    fc.assert(
      fc.property(
        fc.constantFrom(...schemes),
        fc.array(fc.nat(8), { minLength: 1, maxLength: 7 }),
        (scheme, numbers) => {
          const form = hyphenated(scheme);
          const labels = [
            "O",
            ...["X", "Y"].flatMap((type) => [...letters[scheme]].map((letter) => `${letter}-${type}`)),
          ];
          const { follow, begin, end } = allowedTransitions(labels, form);
          const path = numbers.map((number) => number % labels.length);
          const isAllowed =
            begin[path[0] as number] === 1 &&
            end[path.at(-1) as number] === 1 &&
            path.every((to, i) => i === 0 || follow[(path[i - 1] as number) * labels.length + to] === 1);
          const sequence = path.map((label) => labels[label] as string);
          const written = convertLabels(sequence, form, form);
          expect(isAllowed).toBe(written.every((label, i) => label === sequence[i]));
        },
      ),
      { seed: 16, numRuns: 4000 },
    );
  });

  it("take foreign labels for words outside, and leave no type that cannot be said", () => {
    const { follow, begin, end } = allowedTransitions(
      ["O", "B-X", "I-X", "[SEP]", "I-Y"],
      hyphenated("IOB2"),
    );
    expect([...begin]).toEqual([1, 1, 0, 1, 1]);
    expect([...end]).toEqual([1, 1, 1, 1, 1]);
    expect([...follow.subarray(15, 20)]).toEqual([1, 1, 0, 1, 1]);
  });
});

describe("labels that lack a letter of their scheme", () => {
  /** What may follow a label, and `$` for the end of the sentence. */
  const after = (label: string, labels: readonly string[], scheme: (typeof schemes)[number]): string => {
    const { follow, end } = allowedTransitions(labels, hyphenated(scheme));
    const at = labels.indexOf(label);
    const next = labels.filter((_, to) => follow[at * labels.length + to] === 1);
    return [...next, ...(end[at] === 1 ? ["$"] : [])].join(" ");
  };

  it.each(["BIOES", "BMES"] as const)("%s without an end: an entity may stop where it is", (scheme) => {
    const inside = scheme === "BMES" ? "M" : "I";
    const labels = ["O", "B-X", `${inside}-X`, "S-X"];
    expect(after("B-X", labels, scheme)).toBe(`${labels.join(" ")} $`);
    expect(after("O", labels, scheme)).toBe("O B-X S-X $");
  });

  it.each(["BIOES", "BMES"] as const)("%s without a beginning: an entity may begin inside", (scheme) => {
    const inside = scheme === "BMES" ? "M" : "I";
    const labels = ["O", `${inside}-X`, "E-X"];
    expect(after("O", labels, scheme)).toBe(`${labels.join(" ")} $`);
    expect(after(`${inside}-X`, labels, scheme)).toBe(`${inside}-X E-X`);
  });

  it("an entity that is open goes on as itself, not as one that could begin anywhere", () => {
    const labels = ["O", "B-X", "I-X", "E-X", "I-Y", "E-Y"];
    expect(after("B-X", labels, "BIOES")).toBe("I-X E-X");
    expect(after("O", labels, "BIOES")).toBe("O B-X I-Y E-Y $");
  });

  it("IOB1 without an inside, IOB2 without a beginning: the letter that is there begins entities", () => {
    expect(after("O", ["O", "B-X"], "IOB1")).toBe("O B-X $");
    expect(after("O", ["O", "I-X"], "IOB2")).toBe("O I-X $");
  });
});

describe("foreignLabels and typesOf", () => {
  it("name what a form does not know, and the types that it does", () => {
    const labels = ["O", "B-PER", "I-LOC", "[SEP]", "NOUN"];
    expect(foreignLabels(labels, hyphenated("IOB2"))).toEqual(["[SEP]", "NOUN"]);
    expect(typesOf(labels, hyphenated("IOB2"))).toEqual(["LOC", "PER"]);
  });

  it("read W of BMES as an entity of one word", () => {
    expect(labelReader(hyphenated("BMES"))("W-X")).toEqual({ position: "S", type: "X" });
  });

  it("read letters of BILOU as those of BIOES", () => {
    const read = labelReader(hyphenated("BIOES"));
    expect([read("U-X"), read("L-X"), read("O")]).toEqual([
      { position: "S", type: "X" },
      { position: "E", type: "X" },
      undefined,
    ]);
  });
});
