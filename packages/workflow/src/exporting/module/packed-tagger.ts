import { deflateRawSync } from "node:zlib";
import { copyMessage, type ModelProto } from "@nasty/formats/onnx";
import { kernelModule } from "@nasty/portable";
import type { TaggerSettings } from "@nasty/taggers";
import { splitModel } from "@nasty/taggers/neural";
import type { TaggerContent } from "./inside/content.js";
import { packValue } from "./plain-values.js";

/** A tagger as a module carries it. */
export interface PackedTagger {
  /** The kernels of the portable engine, as WebAssembly. */
  readonly kernels: Uint8Array;
  /** Length of the packed content (uint32, little-endian), then the content in raw deflate. */
  readonly bytes: Uint8Array;
}

/**
 * Packs all that a tagger needs: the graph (of a neural tagger its two halves), the settings and the kernels.
 *
 * @returns the same bytes for the same model
 */
export function packTagger(model: ModelProto, settings: TaggerSettings): PackedTagger {
  const kernels = kernelModule();
  const content = packValue({
    kernels,
    parts: partsOf(model, settings).map(bare),
    settings: needed(settings),
  } satisfies TaggerContent);
  const deflated = deflateRawSync(content, { level: 9 });
  const bytes = new Uint8Array(4 + deflated.length);
  new DataView(bytes.buffer).setUint32(0, content.length, true);
  bytes.set(deflated, 4);
  return { kernels, bytes };
}

/** Settings without the files of a Hugging Face directory, which only an export of one needs. */
function needed(settings: TaggerSettings): TaggerSettings {
  if (settings.kind !== "transformer") return settings;
  const { huggingFace: _, ...rest } = settings;
  return rest;
}

function partsOf(model: ModelProto, settings: TaggerSettings): readonly ModelProto[] {
  if (settings.kind !== "neural") return [model];
  const halves = splitModel(model);
  return halves === undefined ? [model] : [halves.embedder, halves.network];
}

/** A model without what running it does not need: its settings are beside it. */
function bare(model: ModelProto): ModelProto {
  const { graph } = model;
  const kept =
    graph &&
    copyMessage(graph, {
      docString: undefined,
      valueInfo: [],
      metadataProps: [],
      quantizationAnnotation: [],
      node: graph.node.map((node) => copyMessage(node, { docString: undefined, metadataProps: [] })),
    });
  return copyMessage(model, { docString: undefined, metadataProps: [], graph: kept });
}
