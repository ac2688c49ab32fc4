import { type LabelForm, labelReader, type LabelPart } from "./label-form.js";

/** Which labels may follow which, 1 where they may. */
export interface AllowedTransitions {
  /** [from, to], row-major. */
  readonly follow: Uint8Array;
  readonly begin: Uint8Array;
  readonly end: Uint8Array;
}

/**
 * The sequences that a scheme allows.
 *
 * IOB2: `I-X` only behind `B-X` and `I-X`. IOB1: `B-X` only there, since it parts two entities. BIOES and BMES: an
 * entity that was begun goes on to its end. IO: everything. `O` and foreign labels are outside of entities. A type that
 * has no label for its beginning (or its end) may begin (or end) with any of its labels: otherwise it could never be
 * said.
 *
 * @param labels of a model, in its order
 * @example
 * ```ts
 * allowedTransitions(["O", "B-X", "I-X"], hyphenated("IOB2")).begin; // [1, 1, 0]
 * ```
 */
export function allowedTransitions(labels: readonly string[], form: LabelForm): AllowedTransitions {
  const read = labelReader(form);
  const parts = labels.map((label) => read(label));
  const rules = rulesOf(parts, form);
  const count = labels.length;
  const follow = new Uint8Array(count * count);
  parts.forEach((from, i) => {
    parts.forEach((to, j) => {
      follow[i * count + j] = Number(rules(from, to));
    });
  });
  return {
    follow,
    begin: Uint8Array.from(parts, (part) => Number(rules(undefined, part))),
    end: Uint8Array.from(parts, (part) => Number(rules(part, undefined))),
  };
}

type Part = LabelPart | undefined;
type Rule = (from: Part, to: Part) => boolean;

function rulesOf(parts: readonly Part[], { scheme }: LabelForm): Rule {
  const typesWith = (...positions: readonly LabelPart["position"][]): ReadonlySet<string> =>
    new Set(parts.flatMap((part) => (part && positions.includes(part.position) ? [part.type] : [])));
  const beginning = typesWith("B");
  const inside = typesWith("I");
  const ending = typesWith("E");
  const isInside = (from: Part, to: LabelPart): boolean =>
    from?.type === to.type && (from.position === "B" || from.position === "I");
  switch (scheme) {
    case "IO":
      return () => true;
    case "IOB1":
      return (from, to) => to?.position !== "B" || isInside(from, to) || !inside.has(to.type);
    case "IOB2":
      return (from, to) => to?.position !== "I" || isInside(from, to) || !beginning.has(to.type);
    case "BIOES":
    case "BMES":
      return (from, to) => {
        const goesOn = to !== undefined && (to.position === "I" || to.position === "E");
        if (goesOn && !isInside(from, to) && beginning.has(to.type)) return false;
        const isOpen = from !== undefined && (from.position === "B" || from.position === "I");
        return !isOpen || !ending.has(from.type) || (goesOn && isInside(from, to));
      };
    default:
      return scheme satisfies never;
  }
}
