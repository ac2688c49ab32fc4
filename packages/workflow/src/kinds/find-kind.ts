import type { ModelProto } from "@nasty/formats/onnx";
import type { TaggerSettings } from "@nasty/taggers";
import type { AnyTextSettings } from "@nasty/taggers/texts";
import { parseJson } from "@nasty/formats/json";
import { InputError } from "../errors.js";
import { isFeedFile, isNpz } from "../feeds/read-feeds.js";
import { chunksOf, linesOf } from "../texts/text-lines.js";
import { graphKind } from "./graph-kind.js";
import { kindOf, type ModelKind } from "./kind.js";
import { taggerKind } from "./tagger-kind.js";
import { textKind } from "./text-kind.js";

/** What of a model decides its kind. */
export interface KindSource {
  readonly model: ModelProto;
  readonly tagger: TaggerSettings | undefined;
  readonly text: AnyTextSettings | undefined;
}

/** The kind of a model by itself: what its labels and tokenizer make it. */
export function ownKind({ model, tagger, text }: KindSource): ModelKind {
  if (tagger !== undefined) return kindOf(taggerKind(tagger, model));
  if (text !== undefined && text.kind !== "graph") return kindOf(textKind(text, model));
  return kindOf(graphKind(model, text));
}

/**
 * The kind of a model for the data that it is given: its own, unless the data are inputs of its graph, which any model
 * takes.
 *
 * @param files data of one form; `-` may be any
 * @throws InputError for inputs of a graph beside text
 */
export async function kindFor(source: KindSource, files: readonly string[]): Promise<ModelKind> {
  const { model, tagger, text } = source;
  const feeds: string[] = [];
  const others: string[] = [];
  for (const path of files) {
    if (path === "-") continue;
    const isFeed = isFeedFile(path) && (text === undefined || isNpz(path) || !(await holdsTexts(path)));
    (isFeed ? feeds : others).push(path);
  }
  if (feeds.length === 0) return ownKind(source);
  if (others.length > 0 && (tagger ?? text) !== undefined) {
    throw new InputError(
      `read ${feeds[0]}: expected text as ${others[0]}, got inputs of the graph; give data of one form`,
    );
  }
  return kindOf(graphKind(model));
}

/** Whether JSON Lines of a model of texts are texts, by the first of them; what is neither is read as texts. */
async function holdsTexts(path: string): Promise<boolean> {
  for await (const { text: line } of linesOf(chunksOf(path))) {
    if (line.trim() === "") continue;
    try {
      const first = parseJson(line);
      return typeof first !== "object" || first === null || "text" in first || Array.isArray(first);
    } catch {
      return true;
    }
  }
  return true;
}
