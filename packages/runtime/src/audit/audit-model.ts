import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { makeTemporaryFolder, readFileMaybeCompressed } from "@nasty/formats/archive/node";
import { type GraphProto, type ModelProto, parseModel } from "@nasty/formats/onnx";
import { ModelGraph } from "@nasty/graph";
import { type ModelSource, openSession } from "../open-session.js";
import type { Optimization, Session, SessionOptions } from "../session.js";
import { type Audit, auditGraph, auditPairs } from "./audit.js";
import { auditWarnings } from "./warnings.js";

export interface OpenAuditedOptions extends Pick<SessionOptions, "threads" | "config" | "engine"> {
  /**
   * The level whose graph is read. Default `extended`: all fusions and all quantized kernels, without the CPU memory
   * layouts (NCHWc) of `all`, which rename convolutions and add reorder nodes but quantize nothing.
   */
  readonly optimization?: Optimization;
  /**
   * Whether the model will run often: weights are packed for it then, which takes longer to open and more memory.
   * Default false.
   */
  readonly runsOften?: boolean;
  /**
   * Where the optimized graph, as large as the model, lies while it is read. Default the system's folder for
   * temporaries.
   */
  readonly folder?: string;
}

export interface AuditOptions extends OpenAuditedOptions {
  /** What else to do with the open model before it is closed: opening a large one costs more than running it once. */
  readonly use?: (session: Session) => Promise<void>;
}

/** A model that is open, and what the runtime executes of it. */
export interface AuditedSession {
  readonly session: Session;
  /** Reads the graph that the runtime wrote when it opened the model; also after the session was closed. */
  audit(): Promise<Audit>;
  /** Closes the session and removes the graph; closing twice does nothing. */
  close(): Promise<void>;
}

/**
 * The file's own graph, for what only it tells: was it fused before, which weights were written? External weights are
 * not read.
 */
const readSource = async (model: ModelSource): Promise<ModelProto | undefined> => {
  if (typeof model !== "string") return model instanceof Uint8Array ? parseModel(model) : model;
  // A larger file cannot be one buffer; the audit does without these figures then.
  const tooLarge = (await stat(model)).size > 2 ** 31;
  return tooLarge ? undefined : parseModel(await readFileMaybeCompressed(model));
};

/**
 * Keeps the first initializer of each name. ONNX Runtime 1.30 writes one twice when constant folding put it into the
 * body of an If that already had it.
 */
const withoutRepeats = (graph: GraphProto): void => {
  const seen = new Set<string>();
  graph.initializer = graph.initializer.filter(({ name }) => !seen.has(name) && seen.add(name));
  for (const { attribute } of graph.node) {
    for (const { g, graphs } of attribute) {
      if (g !== undefined) withoutRepeats(g);
      graphs.forEach(withoutRepeats);
    }
  }
};

const weightsFile = "weights.bin";

/**
 * Has the runtime optimize a model, reads back the graph that it would execute, and counts.
 *
 * A session is opened with the optimized graph written to a temporary folder (weights beside it, unread); nothing is
 * run but what `use` runs.
 *
 * @param model a path, bytes or a parsed model
 * @returns counts, each float matrix kernel and stray pair with its reason, and warnings in words
 * @throws RuntimeError as `openSession`; `needs-native` on WebAssembly, which has nowhere to write that graph; what
 *   `use` throws.
 *
 * @example
 * ```ts
 * const { quantizedKernels, floatMatMuls, strayQdq } = await auditModel("tagger_int8.onnx");
 * ```
 */
export const auditModel = async (
  model: ModelSource,
  { use, ...options }: AuditOptions = {},
): Promise<Audit> => {
  const opened = await openAudited(model, options);
  try {
    await use?.(opened.session);
    await opened.session.close();
    return await opened.audit();
  } finally {
    await opened.close();
  }
};

/**
 * Opens a model to be run and audited, both in one session: see {@link auditModel}.
 *
 * @throws RuntimeError as `openSession`; `needs-native` on WebAssembly
 * @example
 * ```ts
 * const opened = await openAudited("tagger_int8.onnx", { runsOften: true });
 * await opened.session.run(feeds);
 * const { quantizedKernels } = await opened.audit();
 * await opened.close();
 * ```
 */
export const openAudited = async (
  model: ModelSource,
  {
    optimization = "extended",
    runsOften = false,
    config = {},
    folder: parent,
    ...options
  }: OpenAuditedOptions = {},
): Promise<AuditedSession> => {
  const name = "nasty-audit";
  const { path: folder, remove } = await makeTemporaryFolder(
    parent === undefined ? name : join(resolve(parent), name),
  );
  const optimizedModelPath = join(folder, "optimized.onnx");
  let session: Session;
  try {
    session = await openSession(model, {
      ...options,
      optimization,
      optimizedModelPath,
      config: {
        // Packing pays when a model runs often.
        ...(!runsOften && { "session.disable_prepacking": "1" }),
        // Also lifts protobuf's limit of 2 GB from the written graph.
        "session.optimized_model_external_initializers_file_name": weightsFile,
        "session.optimized_model_external_initializers_min_size_in_bytes": "1024",
        ...config,
      },
    });
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    session,
    async audit() {
      const optimized = parseModel(await readFile(optimizedModelPath));
      if (optimized.graph !== undefined) withoutRepeats(optimized.graph);
      const source = await readSource(model);
      const counts = {
        ...auditGraph(ModelGraph.from(optimized)),
        ...auditPairs(source && ModelGraph.from(source)),
      };
      return { ...counts, warnings: auditWarnings(counts, source) };
    },
    async close() {
      await session.close();
      await remove();
    },
  };
};
