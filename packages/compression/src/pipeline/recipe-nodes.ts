import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { CompressionError } from "../compression-error.js";
import { recipeError } from "./recipe-error.js";
import type { Position } from "./recipe.js";
import { unknownName } from "@nasty/graph";

/** A node of a recipe's text with its place; messages name the key it is under. */
export interface RecipeNode {
  readonly at: Position;
  /** Undefined for nothing (`key:` with no value). */
  readonly value: Node | undefined;
}

/** One entry of a mapping. */
export interface RecipeEntry extends RecipeNode {
  readonly key: string;
  readonly keyAt: Position;
}

/** Reads the parts of a recipe's YAML, each refused with its line and column when it is of another kind. */
export interface RecipeReader {
  readonly root: RecipeNode;
  fail(at: Position, what: string, cause?: unknown): CompressionError;
  /** Entries of a mapping; unknown keys are refused if `known` is given. */
  entries(node: RecipeNode, what: string, known?: readonly string[]): readonly RecipeEntry[];
  items(node: RecipeNode, what: string): readonly RecipeNode[];
  isList(node: RecipeNode): boolean;
  isMapping(node: RecipeNode): boolean;
  /** Words and numbers as text, true and false as such. */
  scalar(node: RecipeNode, what: string, expected: string): string | boolean;
  text(node: RecipeNode, what: string, expected: string): string;
}

/** A recipe is written by hand: far below this, and what is larger takes a hundred times its length when parsed. */
const maxRecipeLength = 1_000_000;

function parsed(
  text: string,
  lineCounter: LineCounter,
  fail: (at: Position, what: string, cause?: unknown) => CompressionError,
): Document {
  const start = { line: 1, column: 1 };
  if (text.length > maxRecipeLength) {
    throw fail(start, `length: expected at most ${maxRecipeLength} characters, got ${text.length}`);
  }
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false });
  } catch (cause) {
    // The parser recurses: lists in lists, some thousands deep, exhaust its stack.
    throw fail(start, `YAML: expected keys and lists, got ${(cause as Error).message}`, cause);
  }
}

/** Parses YAML 1.2; the first error of the text is thrown. */
export function openRecipe(text: string, name: string): RecipeReader {
  const lines = new LineCounter();
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const fail = (place: Position, what: string, cause?: unknown): CompressionError =>
    recipeError(name, place, what, cause);
  const document = parsed(text, lines, fail);
  const [error] = document.errors;
  if (error !== undefined) throw fail(at(error.pos[0]), `YAML: ${error.message}`, error);

  const nodeOf = (node: unknown, fallback: Position): RecipeNode => {
    const found = isAlias(node) ? node.resolve(document) : (node as Node | null | undefined);
    const offset = (node as Node | null | undefined)?.range?.[0];
    const isNothing = found == null || (isScalar(found) && found.value === null);
    return { at: offset === undefined ? fallback : at(offset), value: isNothing ? undefined : found };
  };
  const scalar = (node: RecipeNode, what: string, expected: string): string | boolean => {
    const { value } = node;
    if (isScalar(value)) {
      if (typeof value.value === "boolean" || typeof value.value === "string") return value.value;
      if (typeof value.value === "number" || typeof value.value === "bigint") return String(value.value);
    }
    throw fail(node.at, `${what}: expected ${expected}, got ${kindOf(value)}`);
  };
  return {
    root: nodeOf(document.contents, { line: 1, column: 1 }),
    fail,
    entries(node, what, known) {
      if (!isMap(node.value)) {
        throw fail(node.at, `${what}: expected keys and values, got ${kindOf(node.value)}`);
      }
      return node.value.items.map((pair): RecipeEntry => {
        const keyNode = nodeOf(pair.key, node.at);
        const key = String(scalar(keyNode, what, "a name as key"));
        if (known !== undefined && !known.includes(key)) {
          throw fail(keyNode.at, `${what}: key: ${unknownName(key, known)}`);
        }
        return { key, keyAt: keyNode.at, ...nodeOf(pair.value, keyNode.at) };
      });
    },
    items(node, what) {
      if (!isSeq(node.value)) throw fail(node.at, `${what}: expected a list, got ${kindOf(node.value)}`);
      return node.value.items.map((item) => nodeOf(item, node.at));
    },
    isList: ({ value }) => isSeq(value),
    isMapping: ({ value }) => isMap(value),
    scalar,
    text(node, what, expected) {
      const value = scalar(node, what, expected);
      if (typeof value === "string") return value;
      throw fail(node.at, `${what}: expected ${expected}, got ${value}`);
    },
  };
}

function kindOf(node: Node | undefined): string {
  if (node === undefined) return "nothing";
  if (isSeq(node)) return "a list";
  if (isMap(node)) return "keys and values";
  return isScalar(node) ? quoted(String(node.value)) : "another kind of node";
}

const longestQuoted = 60;

/** A value as a message shows it: what is long is cut, what a terminal would obey is escaped. */
function quoted(text: string): string {
  if (text.length <= longestQuoted && !/[\p{C}\uFFFD]/u.test(text)) return text;
  const shown = JSON.stringify(text.slice(0, longestQuoted)).replace(
    /[\p{C}\uFFFD]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return text.length <= longestQuoted ? shown : `${shown}…`;
}
