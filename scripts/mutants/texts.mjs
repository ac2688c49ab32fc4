// Breaks of what reads, writes and judges labels: label schemes, columns, CoNLL-U, decoding, evaluation.

const formats = (name, find, put, ...tests) => ({
  file: `packages/formats/src/${name}.ts`,
  find,
  put,
  tests: tests.map((test) => `packages/formats/test/${test}`),
});

const taggers = (name, find, put, ...tests) => ({
  file: `packages/taggers/src/${name}.ts`,
  find,
  put,
  tests: tests.map((test) => `packages/taggers/test/${test}`),
});

const iob1 = 'return (from, to) => to?.position !== "B" || isInside(from, to) || !inside.has(to.type);';
const iob2 = 'return (from, to) => to?.position !== "I" || isInside(from, to) || !beginning.has(to.type);';
const decoding = "tagging/decode.test.ts";
const evaluation = "evaluation/evaluation.test.ts";

export const textMutants = [
  formats("iob/transitions", iob1, "return () => true;", "iob"),
  formats("iob/transitions", iob1, iob1.replace(" || !inside.has(to.type)", ""), "iob"),
  formats("iob/transitions", iob1, iob1.replace(" || isInside(from, to)", ""), "iob"),
  formats("iob/transitions", iob2, "return () => true;", "iob"),
  formats("iob/transitions", iob2, iob2.replace(" || !beginning.has(to.type)", ""), "iob"),
  formats(
    "iob/transitions",
    'case "IO":\n      return () => true;',
    'case "IO":\n      return (from, to) => from?.type === to?.type;',
    "iob",
  ),
  formats("iob/transitions", "from?.type === to.type && (", "(", "iob"),
  formats(
    "iob/transitions",
    'case "BIOES":\n    case "BMES":',
    'case "BMES":\n      return () => true;\n    case "BIOES":',
    "iob",
  ),
  formats(
    "iob/transitions",
    'case "BIOES":\n    case "BMES":',
    'case "BIOES":\n      return () => true;\n    case "BMES":',
    "iob",
  ),
  formats(
    "iob/transitions",
    "if (goesOn && !isInside(from, to) && beginning.has(to.type)) return false;",
    "",
    "iob",
  ),
  formats(
    "iob/transitions",
    "if (goesOn && !isInside(from, to) && beginning.has(to.type)) return false;",
    "if (goesOn && !isInside(from, to)) return false;",
    "iob",
  ),
  formats(
    "iob/transitions",
    "return !isOpen || !ending.has(from.type) || (goesOn && isInside(from, to));",
    "return !isOpen || !ending.has(from.type) || goesOn;",
    "iob",
  ),
  formats(
    "iob/transitions",
    "return !isOpen || !ending.has(from.type) || (goesOn && isInside(from, to));",
    "return !isOpen || (goesOn && isInside(from, to));",
    "iob",
  ),
  formats(
    "iob/spans",
    ' || position === "S" || here !== type) close(at);',
    ' || position === "S") close(at);',
    "iob",
  ),
  formats(
    "iob/spans",
    'if (position === "E" || position === "S") close(at + 1);',
    'if (position === "E") close(at + 1);',
    "iob",
  ),
  formats(
    "iob/spans",
    'return at === start && adjoins ? "B" : "I";',
    'return at === start ? "B" : "I";',
    "iob",
  ),
  formats("iob/spans", "previous.end === start && previous.type === type", "previous.end === start", "iob"),
  formats("iob/label-form", "E: letters.end", "E: letters.inside", "iob"),
  formats("iob/label-form", 'BMES: "BMESW"', 'BMES: "BMES"', "iob"),
  formats("iob/read", "if (/[-.]/.test(number)) return false;", "", "iob"),
  formats("iob/read", "labelColumn < 0 ? last + 1 + labelColumn", "labelColumn < 0 ? last", "iob"),
  formats(
    "conllu/parse-row",
    "length > 1 && text.charCodeAt(start) === zero ? -1 : value",
    "value",
    "conllu",
  ),
  formats("conllu/parse-row", "left < (isRange ? 1 : 0)", "left < 0", "conllu"),
  formats("conllu/serialize", '${head ?? "_"}', '${head || "_"}', "conllu"),
  formats(
    "conllu/parser",
    "out.push(blocks.length === 0 ? held : { ...held, blocksAfter: blocks });",
    "out.push(held);",
    "conllu",
  ),
  formats("conllu/validate-order", "row.first <= covered", "row.first < covered", "conllu"),
  formats("conllu/validate-tree", "if (roots.length > 1) {", "if (roots.length > 2) {", "conllu"),

  taggers(
    "tagging/decode",
    "allow[i] === 1 ? score : Number.NEGATIVE_INFINITY",
    "allow[i] === 1 ? score : score",
    decoding,
  ),
  taggers("tagging/decode", "end: within(chain.end, allowed.end),", "end: chain.end,", decoding),
  taggers("tagging/decode", "start: within(chain.start, allowed.begin),", "start: chain.start,", decoding),
  taggers(
    "tagging/decode",
    "if (at(scores, label) + at(end, label) > at(scores, best) + at(end, best)) best = label;",
    "if (at(scores, label) > at(scores, best)) best = label;",
    decoding,
  ),
  taggers(
    "tagging/decode",
    'if (task === "ner") return',
    'if (task === "ner" && chain !== undefined) return',
    decoding,
  ),
  taggers(
    "evaluation/counts",
    "denominator === 0 ? 0 : numerator / denominator",
    "numerator / denominator",
    evaluation,
  ),
  taggers("evaluation/counts", 'ignoreTypes ? "" : type', "type", evaluation),
  taggers("evaluation/counts", 'form ?? hyphenated("BIOES")', 'hyphenated("BIOES")', evaluation),
  taggers(
    "evaluation/loss-interval",
    "const tail = (1 - confidence) / 2;",
    "const tail = 1 - confidence;",
    evaluation,
  ),
  taggers(
    "evaluation/labelled-words",
    'if (row.kind !== "word") return;',
    'if (row.kind === "multiword") return;',
    evaluation,
  ),
  taggers("evaluation/score", "if (expected === got) continue;", "continue;", evaluation),
];
