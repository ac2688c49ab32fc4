import { CompressionError } from "../compression-error.js";
import type { Position } from "./recipe.js";

/** The error of a recipe's text, with its place: `readRecipe: NAME: line 3, column 5: WHAT: expected …, got …`. */
export function recipeError(name: string, at: Position, what: string, cause?: unknown): CompressionError {
  return new CompressionError(
    "invalid-recipe",
    `readRecipe: ${name}: line ${at.line}, column ${at.column}: ${what}`,
    { line: at.line, column: at.column, ...(cause !== undefined && { cause }) },
  );
}
