import { dirname } from "node:path";
import {
  type Audit,
  type AuditedSession,
  openAudited,
  openSession,
  RuntimeError,
  type Session,
} from "@nasty/runtime";
import { makeTagger } from "@nasty/taggers";
import { findTagger, openFound } from "@nasty/taggers/node";
import { checkFiniteWeights } from "@nasty/graph";
import type { ModelProto } from "@nasty/formats/onnx";
import { readModelFile } from "@nasty/formats/onnx/node";
import type { OpenModel, OpenModelOptions } from "../models/open-tagger.js";

/** A written file that is run, tagged with and audited in one session, which is opened by the first of these. */
export interface OpenWritten {
  session(): Promise<Session>;
  /** What the file holds, read again. */
  model(): Promise<ModelProto>;
  /**
   * Its tagger, from what the file itself carries; the graph of a neural tagger runs in two parts, in sessions of their
   * own.
   */
  tagger(): Promise<OpenModel>;
  /** What the runtime executes; null on WebAssembly, which does not tell. */
  audit(): Promise<Audit | null>;
  /** Closes what is open; what is asked later opens it again. */
  close(): Promise<void>;
}

interface WrittenOptions extends OpenModelOptions {
  /** Whether it will run often: see `openAudited`. */
  readonly runsOften: boolean;
}

/** @param path the file, under the name that it has for now */
export function openWritten(path: string, { threads, runsOften, ...choice }: WrittenOptions): OpenWritten {
  let audited: Promise<Whole> | undefined;
  let tagging: Promise<OpenModel> | undefined;
  const whole = (): Promise<Whole> => (audited ??= openWhole(path, { threads, runsOften }));

  const openTagging = async (): Promise<OpenModel> => {
    const found = await findTagger(path, choice);
    const { modelPath, settings, notes = [] } = found;
    if (settings.kind === "neural") return openFound(found, { threads });
    checkFiniteWeights(found.model ?? (await readModelFile(modelPath)), `openTagger: ${modelPath}`);
    const { session } = await whole();
    return { tagger: await makeTagger(session, settings), session, modelPath, settings, notes };
  };
  return {
    session: async () => (await whole()).session,
    model: () => readModelFile(path),
    tagger: () => (tagging ??= openTagging()),
    audit: async () => (await whole()).audit(),
    async close() {
      const open = [audited, tagging];
      audited = undefined;
      tagging = undefined;
      const [one, other] = await Promise.all(open.map((opening) => opening?.catch(() => undefined)));
      if (other !== undefined && "tagger" in other) await other.tagger.close();
      if (one !== undefined && "audit" in one) await one.close();
    },
  };
}

type Whole = Omit<AuditedSession, "audit"> & { audit(): Promise<Audit | null> };

async function openWhole(
  path: string,
  options: { readonly threads: number; readonly runsOften: boolean },
): Promise<Whole> {
  try {
    // Beside a file that was written just now is room for another of its size.
    return await openAudited(path, { ...options, folder: dirname(path) });
  } catch (error) {
    if (!(error instanceof RuntimeError && error.code === "needs-native")) throw error;
    const session = await openSession(path, { threads: options.threads });
    return { session, audit: async () => null, close: () => session.close() };
  }
}
