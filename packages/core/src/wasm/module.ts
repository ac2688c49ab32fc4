import { bytesOf, type Code, items, sized, text, unsigned, type ValueType, valueTypeCode } from "./code.js";
import { branch, branchIf, block, i32, loop } from "./instructions.js";

/** A local variable or parameter. */
export interface Local {
  readonly get: Code;
  set(value: Code): Code;
  /** Sets it and leaves the value. */
  tee(value: Code): Code;
}

/** Where a function's code is put together. */
export interface Scope {
  local(type: ValueType): Local;
}

export interface Signature<P extends string> {
  readonly parameters: Readonly<Record<P, ValueType>>;
  readonly result?: ValueType;
}

/** A function of a module, for calls from the functions after it. */
export type WasmFunction = (...values: readonly Code[]) => Code;

export interface WasmModule {
  /**
   * Adds a function.
   *
   * @param name under which it is exported
   * @param body the code, which leaves the result, if there is one
   */
  define<P extends string>(
    name: string,
    signature: Signature<P>,
    body: (scope: Scope & Readonly<Record<P, Local>>) => Code,
  ): WasmFunction;
  bytes(): Uint8Array<ArrayBuffer>;
}

interface Definition {
  readonly name: string;
  readonly type: Code;
  readonly code: Code;
}

const localAt = (index: number): Local => {
  const at = unsigned(index);
  return {
    get: [0x20, at],
    set: (value) => [value, 0x21, at],
    tee: (value) => [value, 0x22, at],
  };
};

/** A module that imports its memory, `nasty.memory`, and exports every function that is defined in it. */
export function wasmModule(): WasmModule {
  const definitions: Definition[] = [];
  return {
    define(name, { parameters, result }, body) {
      const names = Object.keys(parameters) as (keyof typeof parameters)[];
      const locals: ValueType[] = [];
      const scope = {
        ...Object.fromEntries(names.map((parameter, index) => [parameter, localAt(index)])),
        local(type: ValueType): Local {
          locals.push(type);
          return localAt(names.length + locals.length - 1);
        },
      } as Parameters<typeof body>[0];
      const instructions = body(scope);
      const declared = items(locals.map((type) => [1, valueTypeCode[type]]));
      const types = names.map((parameter) => valueTypeCode[parameters[parameter]]);
      const index = definitions.length;
      definitions.push({
        name,
        type: [0x60, items(types), items(result === undefined ? [] : [valueTypeCode[result]])],
        code: sized([declared, instructions, 0x0b]),
      });
      return (...values) => [values, 0x10, unsigned(index)];
    },
    bytes() {
      const memory = [text("nasty"), text("memory"), 2, 0, 1];
      return Uint8Array.from(
        bytesOf([
          [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
          section(1, items(definitions.map(({ type }) => type))),
          section(2, items([memory])),
          section(3, items(definitions.map((_, index) => unsigned(index)))),
          section(7, items(definitions.map(({ name }, index) => [text(name), 0, unsigned(index)]))),
          section(10, items(definitions.map(({ code }) => code))),
        ]),
      );
    },
  };
}

const section = (id: number, content: Code): Code => [id, sized(content)];

/** Repeats `body` while `index` is below `limit`, which is read each time. */
export const upTo = (index: Local, limit: Code, step: number, body: Code): Code =>
  block(
    loop([
      branchIf(i32.atLeast(index.get, limit), 1),
      body,
      index.set(i32.add(index.get, i32.const(step))),
      branch(0),
    ]),
  );

/** Repeats `body` at least once, as long as `condition` holds after it: one branch a turn. */
export const repeatWhile = (body: Code, condition: Code): Code => loop([body, branchIf(condition, 0)]);
