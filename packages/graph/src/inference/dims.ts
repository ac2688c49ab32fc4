/**
 * One dimension: a size, a symbol (a name of the model's, or a product or sum of such: `2*batch`, `(past + 1)`), or
 * undefined where nothing is known.
 */
export type Dim = number | string | undefined;

interface Product {
  readonly coefficient: number;
  readonly factors: readonly string[];
}

/** The product of two dimensions; symbols are kept in alphabetical order, so that equal products compare equal. */
export function multiplyDims(a: Dim, b: Dim): Dim {
  if (a === 0 || b === 0) return 0;
  if (a === undefined || b === undefined) return undefined;
  if (typeof a === "number" && typeof b === "number") return a * b;
  if (a === 1) return b;
  if (b === 1) return a;
  const left = factorize(a);
  const right = factorize(b);
  return format({
    coefficient: left.coefficient * right.coefficient,
    factors: [...left.factors, ...right.factors],
  });
}

/** The quotient if it is exact whatever the symbols stand for, else undefined. */
export function divideDims(a: Dim, b: Dim): Dim {
  if (a === undefined || b === undefined || b === 0) return undefined;
  const left = factorize(a);
  const right = factorize(b);
  if (left.coefficient % right.coefficient !== 0) return undefined;
  const factors = [...left.factors];
  for (const factor of right.factors) {
    const position = factors.indexOf(factor);
    if (position < 0) return undefined;
    factors.splice(position, 1);
  }
  return format({ coefficient: left.coefficient / right.coefficient, factors });
}

/** The sum of two dimensions; constants inside a sum are gathered: `(a + 1)` and 2 make `(a + 3)`. */
export function addDims(a: Dim, b: Dim): Dim {
  if (a === undefined || b === undefined) return undefined;
  if (typeof a === "number" && typeof b === "number") return a + b;
  const left = termsOf(a);
  const right = termsOf(b);
  const constant = left.constant + right.constant;
  const counts = new Map<string, number>();
  for (const term of [...left.terms, ...right.terms]) {
    const { coefficient, factors } = factorize(term);
    const key = factors.join("*");
    counts.set(key, (counts.get(key) ?? 0) + coefficient);
  }
  const terms = [...counts]
    .filter(([, count]) => count !== 0)
    .map(([key, count]) => (count === 1 ? key : `${count}*${key}`));
  if (constant !== 0) terms.push(String(constant));
  if (terms.length === 0) return 0;
  if (terms.length > 1) return `(${terms.join(" + ")})`;
  const only = terms[0] as string;
  return /^-?\d+$/.test(only) ? Number(only) : only;
}

export function subtractDims(a: Dim, b: Dim): Dim {
  if (a !== undefined && a === b) return 0;
  return addDims(a, multiplyDims(b, -1));
}

/** The product of a shape, 1 for a scalar. */
export function productOfDims(shape: readonly Dim[]): Dim {
  return shape.reduce<Dim>((product, dim) => multiplyDims(product, dim), 1);
}

/** ONNX multidirectional broadcasting of one pair of dimensions. */
export function broadcastDim(a: Dim, b: Dim): Dim {
  if (a === 1) return b;
  if (b === 1) return a;
  if (a === b) return a;
  if (typeof a === "number" && typeof b !== "number") return a;
  if (typeof b === "number" && typeof a !== "number") return b;
  return undefined;
}

/** ONNX multidirectional broadcasting: ranks are aligned at the end. */
export function broadcastShapes(shapes: readonly (readonly Dim[] | undefined)[]): readonly Dim[] | undefined {
  let result: readonly Dim[] = [];
  for (const shape of shapes) {
    if (shape === undefined) return undefined;
    const rank = Math.max(result.length, shape.length);
    const left: readonly Dim[] = result;
    result = Array.from({ length: rank }, (_, axis) => {
      const leftAxis = axis - (rank - left.length);
      const rightAxis = axis - (rank - shape.length);
      return broadcastDim(leftAxis < 0 ? 1 : left[leftAxis], rightAxis < 0 ? 1 : shape[rightAxis]);
    });
  }
  return result;
}

/** What two descriptions of one dimension say together: a size before a symbol, the first symbol before the second. */
export function mergeDim(a: Dim, b: Dim): Dim {
  if (typeof a === "number") return a;
  if (typeof b === "number") return b;
  return a ?? b;
}

/** What holds for both of two dimensions: their common value, or nothing. */
export function commonDim(a: Dim, b: Dim): Dim {
  return a === b ? a : undefined;
}

function factorize(dim: number | string): Product {
  if (typeof dim === "number") return { coefficient: dim, factors: [] };
  const parts = splitProduct(dim);
  let coefficient = 1;
  const factors: string[] = [];
  for (const part of parts) {
    if (/^-?\d+$/.test(part)) coefficient *= Number(part);
    else factors.push(part);
  }
  return { coefficient, factors: factors.sort() };
}

/** The factors of our own spelling of a product; any other expression is one symbol, in parentheses. */
function splitProduct(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i] as string;
    if (character === "(") depth += 1;
    else if (character === ")") depth -= 1;
    else if (depth > 0) continue;
    else if (character === "*") {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    } else if (character === "+" || character === "/" || (character === "-" && i > start))
      return [`(${text})`];
  }
  parts.push(text.slice(start).trim());
  return parts.includes("") ? [`(${text})`] : parts;
}

function format({ coefficient, factors }: Product): Dim {
  if (coefficient === 0 || factors.length === 0) return coefficient;
  const names = [...factors].sort();
  return (coefficient === 1 ? names : [String(coefficient), ...names]).join("*");
}

/** The terms of a sum in our own spelling, `(a + 2*b + 1)`; any other expression is one term. */
function termsOf(dim: number | string): { readonly constant: number; readonly terms: readonly string[] } {
  if (typeof dim === "number") return { constant: dim, terms: [] };
  const inner = /^\(([^()]*)\)$/.exec(dim)?.[1];
  if (inner === undefined) return { constant: 0, terms: [dim] };
  const parts = inner.split(" + ");
  if (parts.some((part) => /[-+/]/.test(part.slice(1)))) return { constant: 0, terms: [dim] };
  const constant = parts.filter((part) => /^-?\d+$/.test(part)).reduce((sum, part) => sum + Number(part), 0);
  return { constant, terms: parts.filter((part) => !/^-?\d+$/.test(part)) };
}
