// Values that programs trip over, and the choices of a case: all from its seed.

/**
 * Names that objects have by themselves, empty and endless texts, halves of characters, things that look like other
 * things.
 */
export const oddStrings = [
  "",
  " ",
  "constructor",
  "__proto__",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "length",
  "prototype",
  "null",
  "undefined",
  "NaN",
  "-1",
  "1e999",
  "0x10",
  "../../etc/passwd",
  "/dev/zero",
  "a\0b",
  "\ud800",
  "\udc00\ud800",
  "\u202eabc",
  "e\u0301",
  "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}",
  "\r\n",
  "\t",
  "\ufeff",
  "(a+)+$",
  "[",
  "\\",
  "${x}",
  "*",
  "<s>",
  "word ".repeat(2000),
  "x".repeat(100_000),
];

export const oddNumbers = [
  0,
  -0,
  1,
  -1,
  2,
  7,
  0.5,
  -0.5,
  127,
  128,
  255,
  256,
  65_535,
  65_536,
  1e6,
  2 ** 28 - 1,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 31),
  -(2 ** 53),
  1e21,
  1e308,
  -1e308,
  5e-324,
];

/** One of a list. */
export const pick = (random, list) => list[random.below(list.length)];

/** Whether something of this probability happens. */
export const chance = (random, probability) => random.uniform() < probability;
