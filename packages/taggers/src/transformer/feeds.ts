import { type DType, type Tensor, tensor } from "@nasty/core";
import type { Session, ValueInfo } from "@nasty/runtime";
import { TaggerError } from "../tagger-error.js";
import type { IdRow } from "../tagging/rows.js";
import type { SpecialTokens } from "./special-tokens.js";

/** What an input of the model is fed. */
type Role = "ids" | "mask" | "types" | "positions";

interface Input {
  readonly name: string;
  readonly role: Role;
  readonly dtype: DType;
}

/** Turns rows into the model's inputs. */
export interface Feeder {
  /** Rows that every batch must have, where the model fixes it. */
  readonly fixedRows: number | undefined;
  /** Length that every batch must have, where the model fixes it. */
  readonly fixedLength: number | undefined;
  feed(rows: readonly IdRow[]): { feeds: Record<string, Tensor>; mask: Tensor<"uint8"> };
}

export interface FeederOptions {
  readonly special: SpecialTokens;
  readonly padId: number;
  /** First position number, for models that take `position_ids` (RoBERTa: pad id + 1). */
  readonly positionOffset: number;
}

/**
 * Finds out by name and type what each input of a session wants.
 *
 * @throws TaggerError `model-inputs` for an input that is no id, mask, type or position input, of a type other than
 *   int64 and int32 (the mask also bool, float32), or not of rank 2, and if there is no input for ids.
 */
export function makeFeeder(
  session: Pick<Session, "inputs">,
  { special, padId, positionOffset }: FeederOptions,
): Feeder {
  const inputs = session.inputs.map((info) => inputOf(info, session));
  if (!inputs.some(({ role }) => role === "ids")) {
    throw refuse(
      "inputs",
      "one named input_ids",
      session.inputs.map(({ name }) => name).join(", ") || "none",
    );
  }
  const [fixedRows, fixedLength] = fixedShape(session.inputs);

  const valueAt = (role: Role, row: IdRow, position: number): number => {
    const length = row.ids.length;
    switch (role) {
      case "ids":
        return position < length ? (row.ids[position] as number) : padId;
      case "mask":
        return position < length ? 1 : 0;
      case "types":
        if (position >= length) return 0;
        if (row.types !== undefined) return row.types[position] as number;
        if (position < special.before.length) return special.beforeTypes[position] as number;
        if (position >= length - special.after.length) {
          return special.afterTypes[position - (length - special.after.length)] as number;
        }
        return special.sequenceType;
      case "positions":
        return position < length ? position + positionOffset : Math.max(positionOffset - 1, 0);
      default:
        return role satisfies never;
    }
  };

  return {
    fixedRows,
    fixedLength,
    feed(rows) {
      const longest = rows.reduce((length, row) => Math.max(length, row.ids.length), 0);
      const length = fixedLength ?? longest;
      const count = fixedRows ?? rows.length;
      const shape = [count, length];
      const real = new Uint8Array(count * length);
      rows.forEach((row, r) => real.fill(1, r * length, r * length + row.ids.length));
      const feeds: Record<string, Tensor> = {};
      for (const { name, role, dtype } of inputs) {
        const { data, values, step } = allocate(dtype, count * length);
        for (let r = 0; r < count; r++) {
          // A batch that must have more rows repeats its last one: a row of padding alone would be NaN.
          const row = rows[Math.min(r, rows.length - 1)] as IdRow;
          let at = r * length * step;
          for (let position = 0; position < length; position++, at += step)
            values[at] = valueAt(role, row, position);
        }
        feeds[name] = { dtype, shape, data };
      }
      return { feeds, mask: tensor("uint8", shape, real) };
    },
  };
}

/** Whether every input is one that texts have: ids, mask, types, positions; those of a decoder are not. */
export function takesTexts(inputs: readonly ValueInfo[]): boolean {
  const special = { before: [], beforeTypes: [], sequenceType: 0, after: [], afterTypes: [] };
  try {
    makeFeeder({ inputs }, { special, padId: 0, positionOffset: 0 });
    return true;
  } catch (error) {
    if (error instanceof TaggerError) return false;
    throw error;
  }
}

/**
 * Storage and a view to write small non-negative integers into: the low half of each int64 is written, the high half
 * stays 0.
 */
function allocate(
  dtype: DType,
  count: number,
): { data: Tensor["data"]; values: Int32Array | Float32Array | Uint8Array; step: number } {
  switch (dtype) {
    case "int64": {
      const data = new BigInt64Array(count);
      return { data, values: new Int32Array(data.buffer), step: 2 };
    }
    case "float32": {
      const data = new Float32Array(count);
      return { data, values: data, step: 1 };
    }
    case "bool": {
      const data = new Uint8Array(count);
      return { data, values: data, step: 1 };
    }
    default: {
      const data = new Int32Array(count);
      return { data, values: data, step: 1 };
    }
  }
}

function inputOf({ name, dtype, shape }: ValueInfo, session: Pick<Session, "inputs">): Input {
  const role = roleOf(name, session.inputs.length);
  if (role === undefined) {
    throw refuse(`input ${name}`, "input_ids, attention_mask, token_type_ids or position_ids", `"${name}"`);
  }
  const allowed: readonly DType[] =
    role === "mask" ? ["int64", "int32", "bool", "float32"] : ["int64", "int32"];
  if (!allowed.includes(dtype)) throw refuse(`input ${name}: type`, allowed.join(" or "), dtype);
  if (shape.length !== 2) throw refuse(`input ${name}: rank`, "2 (batch, sequence)", String(shape.length));
  return { name, role, dtype };
}

function roleOf(written: string, count: number): Role | undefined {
  // Converters from TensorFlow write `input_ids:0`, tracing exporters `input_ids.1`.
  const name = written.replace(/[:.][0-9]+$/, "");
  if (/mask/i.test(name)) return "mask";
  if (/type|segment/i.test(name)) return "types";
  if (/position/i.test(name)) return "positions";
  return /ids?$|tokens?$/i.test(name) || count === 1 ? "ids" : undefined;
}

function fixedShape(inputs: readonly ValueInfo[]): [number | undefined, number | undefined] {
  const fixed = (axis: number): number | undefined => {
    for (const { shape } of inputs) {
      const size = shape[axis];
      if (typeof size === "number" && size > 0) return size;
    }
    return undefined;
  };
  return [fixed(0), fixed(1)];
}

function refuse(where: string, expected: string, got: string): TaggerError {
  return new TaggerError("model-inputs", `openTagger: model: ${where}: expected ${expected}, got ${got}`);
}
