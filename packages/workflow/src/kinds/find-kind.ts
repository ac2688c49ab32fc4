import type { ModelProto } from "@nasty/formats/onnx";
import type { TaggerSettings } from "@nasty/taggers";
import type { TextSettings } from "@nasty/taggers/texts";
import { InputError } from "../errors.js";
import { isFeedFile } from "../feeds/read-feeds.js";
import { graphKind } from "./graph-kind.js";
import { kindOf, type ModelKind } from "./kind.js";
import { taggerKind } from "./tagger-kind.js";
import { textKind } from "./text-kind.js";

/** What of a model decides its kind. */
export interface KindSource {
  readonly model: ModelProto;
  readonly tagger: TaggerSettings | undefined;
  readonly text: TextSettings | undefined;
}

/**
 * The kind of a model for the data that it is given: what its labels and tokenizer make it, unless the data are inputs
 * of its graph, which any model takes.
 *
 * @param files data of one form; `-` may be any
 * @throws InputError for inputs of a graph beside text
 */
export function kindFor({ model, tagger, text }: KindSource, files: readonly string[] = []): ModelKind {
  const named = files.filter((path) => path !== "-");
  // JSON Lines of a model of texts are texts.
  const isFeed = (path: string): boolean => isFeedFile(path) && (text === undefined || /\.npz$/i.test(path));
  const feeds = named.filter(isFeed);
  const other = named.find((path) => !isFeed(path));
  if (feeds.length > 0 && other !== undefined && (tagger ?? text) !== undefined) {
    throw new InputError(
      `read ${feeds[0]}: expected text as ${other}, got inputs of the graph; give data of one form`,
    );
  }
  if (feeds.length === 0) {
    if (tagger !== undefined) return kindOf(taggerKind(tagger, model));
    if (text !== undefined) return kindOf(textKind(text, model));
  }
  return kindOf(graphKind(model));
}
