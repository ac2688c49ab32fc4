import { mkdir, readFile, stat } from "node:fs/promises";
import { dirname, extname, join, resolve } from "node:path";
import {
  type DataName,
  type RecipeHead,
  recipeError,
  type RecipeText,
  type TextPart,
} from "@nasty/compression/pipeline";
import { readFileMaybeCompressed, writeFileAtomic } from "@nasty/formats/archive/node";
import { sampleTextPath } from "../models/default-model.js";
import { sha256OfFile } from "../files/file-hash.js";
import { hashOf } from "./artifact.js";

/** A text of the data section, ready to be read. */
export interface OpenRecipeText {
  readonly path: string;
  readonly count?: number;
}

export type RecipeTexts = Readonly<Partial<Record<DataName, readonly OpenRecipeText[]>>>;

/** Where a recipe's texts are; those that are no file are refused with their line. */
export async function locateTexts(recipe: RecipeHead, recipePath: string): Promise<RecipeTexts> {
  const found: Partial<Record<DataName, OpenRecipeText[]>> = {};
  for (const [name, texts] of Object.entries(recipe.data)) {
    found[name as DataName] = [];
    for (const text of texts) {
      const path = pathOf(text, recipePath);
      if (!((await stat(path).catch(() => undefined))?.isFile() ?? false)) {
        throw recipeError(
          recipe.name,
          text.at,
          `data: ${name}: expected a file, got none at ${path}; paths are relative to the recipe`,
        );
      }
      found[name as DataName]?.push({ path, ...(text.count !== undefined && { count: text.count }) });
    }
  }
  return found;
}

function pathOf({ file }: RecipeText, recipePath: string): string {
  return file === "sample" ? sampleTextPath() : resolve(dirname(recipePath), file);
}

/** Writes the parts of texts that a recipe asks for below `folder`; whole texts stay where they are. */
export async function cutTexts(recipe: RecipeHead, texts: RecipeTexts, folder: string): Promise<RecipeTexts> {
  const ready: Partial<Record<DataName, OpenRecipeText[]>> = {};
  for (const [key, located] of Object.entries(texts)) {
    const name = key as DataName;
    ready[name] = [];
    for (const [index, text] of located.entries()) {
      const part = recipe.data[name]?.[index]?.part;
      const path =
        part === undefined ? text.path : await cut(recipe, text.path, { name, index, part, folder });
      ready[name]?.push({ ...text, path });
    }
  }
  return ready;
}

interface Cut {
  readonly name: DataName;
  readonly index: number;
  readonly part: TextPart;
  readonly folder: string;
}

async function cut(recipe: RecipeHead, path: string, { name, index, part, folder }: Cut): Promise<string> {
  const whole = new TextDecoder().decode(await readFileMaybeCompressed(path));
  const sentences = whole.split(/\r?\n(?:[ \t]*\r?\n)+/).filter(hasRows);
  const chosen = sentences.filter(
    (_, number) => number % part.of >= part.from - 1 && number % part.of < part.to,
  );
  if (chosen.length === 0) {
    throw recipeError(
      recipe.name,
      recipe.data[name]?.[index]?.at ?? recipe.modelAt,
      `data: ${name}: part ${partText(part)}: expected at least 1 sentence, got 0 of ${sentences.length}; labelled text has empty lines between sentences`,
    );
  }
  // What the first sentence says of the columns holds for all of them.
  const columns = /^#\s*global\.columns\s*=.*$/m.exec(whole)?.[0];
  const declaration = columns === undefined || chosen[0]?.includes(columns) === true ? "" : `${columns}\n`;
  const ending = extname(path.replace(/\.(?:gz|br)$/, "")) || ".conllu";
  const target = join(folder, `${name}${index === 0 ? "" : `-${index + 1}`}${ending}`);
  const text = `${declaration}${chosen.join("\n\n")}\n\n`;
  if ((await readFile(target, "utf8").catch(() => undefined)) !== text) {
    await mkdir(folder, { recursive: true });
    await writeFileAtomic(target, [new TextEncoder().encode(text)]);
  }
  return target;
}

/** `2/3`, `1-2/3`. */
export function partText({ from, to, of }: TextPart): string {
  return `${from}${to === from ? "" : `-${to}`}/${of}`;
}

/** `sample, part 3/3`. */
export function describeText(text: RecipeText | undefined): string {
  const { file = "", part } = text ?? {};
  return part === undefined ? file : `${file}, part ${partText(part)}`;
}

/** Comments and document marks alone are no sentence. */
function hasRows(block: string): boolean {
  return block
    .split("\n")
    .some((line) => line.trim() !== "" && !line.startsWith("# ") && !line.startsWith("-DOCSTART-"));
}

/** SHA-256 of each text, with how much of it is wanted. */
export async function hashTexts(texts: RecipeTexts): Promise<Partial<Record<DataName, string>>> {
  const hashes: Partial<Record<DataName, string>> = {};
  for (const [name, sources] of Object.entries(texts)) {
    const parts: string[] = [];
    for (const { path, count } of sources) parts.push(await sha256OfFile(path), String(count ?? "all"));
    hashes[name as DataName] = hashOf(parts);
  }
  return hashes;
}
