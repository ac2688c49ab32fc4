/** What a selection may ask about. */
export const quantities = ["loss", "size", "speed"] as const;
export type Quantity = (typeof quantities)[number];

/** Loss in units of the metric (0.01 is one point), size in bytes, speed in times that of the original. */
export type Figures = Readonly<Record<Quantity, number>>;

/** Which models are wanted. */
export type Selection = (figures: Figures) => boolean;

/** What is wrong with the text of a selection. */
export class SelectionError extends Error {
  override readonly name = "SelectionError";
  /** From 1. */
  readonly column: number;
  constructor(column: number, expected: string, got: string) {
    super(`expected ${expected} at column ${column} (found ${got})`);
    this.column = column;
  }
}

interface Token {
  readonly kind: "word" | "number" | "sign" | "end";
  readonly text: string;
  readonly column: number;
}

/** Far above what a person writes; the parser calls itself once a parenthesis. */
const longest = 1000;

const tokenPattern = /\s*(?:([A-Za-z]+)|(-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)|(<=|>=|<|>|\(|\)))/y;

function tokensOf(text: string): readonly Token[] {
  if (text.length > longest) {
    throw new SelectionError(longest + 1, `at most ${longest} characters`, String(text.length));
  }
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  for (let at = 0; at < end; ) {
    tokenPattern.lastIndex = at;
    const match = tokenPattern.exec(text);
    if (match === null) {
      const column = at + (/\S/.exec(text.slice(at))?.index ?? 0) + 1;
      const got = JSON.stringify(String.fromCodePoint(text.codePointAt(column - 1) ?? 0));
      throw new SelectionError(column, "a quantity, a comparison, a number or a parenthesis", got);
    }
    const [whole, word, number, sign] = match;
    const token = word ?? number ?? sign ?? "";
    at += whole.length;
    const kind = word !== undefined ? "word" : number !== undefined ? "number" : "sign";
    tokens.push({ kind, text: token, column: at - token.length + 1 });
  }
  return [...tokens, { kind: "end", text: "nothing more", column: end + 1 }];
}

const units: Readonly<Record<string, number>> = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9 };

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "<=": (a, b) => a <= b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  ">": (a, b) => a > b,
};

/**
 * Reads which models are wanted: comparisons of loss, size and speed with numbers, joined by `and`, `or`, `not` and
 * parentheses; `not` binds before `and`, `and` before `or`. Sizes may have a unit: B, kB, MB (10^6 bytes), GB.
 *
 * @throws SelectionError with the column of what is wrong
 * @example parseSelection("loss <= 0.001 and size < 4MB")({ loss: 0, size: 3e6, speed: 2 }) // true
 */
export function parseSelection(text: string): Selection {
  const tokens = tokensOf(text);
  let at = 0;
  const next = (): Token => tokens[at] as Token;
  const take = (): Token => tokens[at++] as Token;
  const fail = ({ column, text: got }: Token, expected: string): never => {
    throw new SelectionError(column, expected, got);
  };
  const takes = (word: string): boolean => {
    if (next().text !== word) return false;
    at++;
    return true;
  };

  const either = (): Selection => {
    const all = [both()];
    while (takes("or")) all.push(both());
    return (figures) => all.some((one) => one(figures));
  };
  const both = (): Selection => {
    const all = [negated()];
    while (takes("and")) all.push(negated());
    return (figures) => all.every((one) => one(figures));
  };
  const negated = (): Selection => {
    let isNot = false;
    while (takes("not")) isNot = !isNot;
    const inner = takes("(") ? enclosed() : comparison();
    return isNot ? (figures) => !inner(figures) : inner;
  };
  const enclosed = (): Selection => {
    const inner = either();
    if (!takes(")")) fail(next(), "and, or, or )");
    return inner;
  };
  const comparison = (): Selection => {
    const named = take();
    const quantity =
      quantities.find((one) => one === named.text) ?? fail(named, `${quantities.join(", ")}, not or (`);
    const sign = take();
    const compare = Object.hasOwn(comparisons, sign.text) ? comparisons[sign.text] : undefined;
    if (compare === undefined) return fail(sign, "<=, <, >= or >");
    const number = take();
    if (number.kind !== "number") fail(number, "a number");
    const bound = Number(number.text) * unit(quantity);
    if (!Number.isFinite(bound)) fail(number, "a number that is finite");
    return (figures) => compare(figures[quantity], bound);
  };
  const unit = (quantity: Quantity): number => {
    const { kind, text: name } = next();
    if (kind !== "word" || ["and", "or"].includes(name)) return 1;
    if (quantity !== "size") return fail(next(), `a number without a unit, and, or, or the end`);
    const known = name.toLowerCase();
    if (!Object.hasOwn(units, known)) return fail(next(), "B, kB, MB, GB, and, or, or the end");
    at++;
    return units[known] as number;
  };

  const selection = either();
  if (next().kind !== "end") fail(next(), "and, or, or the end");
  return selection;
}
