import { prepareModel, type Reference, sessionReference } from "@nasty/compression";
import type { ModelProto } from "@nasty/formats/onnx";
import type { Session } from "@nasty/runtime";
import { type Evaluation, makeTagger, type TaggerSettings } from "@nasty/taggers";
import { openFound } from "@nasty/taggers/node";
import { type DriftJob, driftReference } from "../drift/drift-check.js";
import type { LoadedModel } from "../models/load-model.js";
import { ofOpenModel } from "../models/open-models.js";
import type { OpenModelOptions } from "../models/open-tagger.js";
import type { Judge } from "./gate-evaluation.js";

/** The float model as the gate and the check of outputs ask it: what it says is asked once, in one session. */
export interface Original {
  /**
   * Asks it in a session of its graph that is open for another purpose; undefined where that graph is not quite the
   * file's.
   */
  readonly askIn: ((session: Session) => Promise<void>) | undefined;
  /** Its labels on the text of the gate. */
  evaluation(): Promise<Evaluation>;
  /** Its outputs on what the written file is compared on. */
  reference(): Promise<Reference | undefined>;
}

interface OriginalJob {
  readonly drift: DriftJob;
  /** What judges it; undefined without a gate. */
  readonly judge: Judge | undefined;
  readonly options: OpenModelOptions;
}

/**
 * Prepares to ask the original, as it is read: what is asked later is read from its file, which planning leaves as it
 * is.
 *
 * A session that measures ranges has the same graph with its hidden units in another order and without some of the
 * runtime's fusions, so its sums are rounded otherwise: its float outputs are those of the file to about six digits. A
 * graph that was lifted from 16-bit floats is another matter: there the file itself is asked.
 */
export function originalOf(loaded: LoadedModel, { drift, judge, options }: OriginalJob): Original {
  const { path, modelPath, tagger: settings } = loaded;
  const isAsRead = prepareModel(loaded.model).changes.length === 0;
  // Neural taggers run in two parts; that they are of a graph in memory spares reading it again, and it is small.
  const model = settings?.kind === "neural" && isAsRead ? loaded.model : undefined;
  let evaluated: Evaluation | undefined;
  let referred: { readonly reference: Reference | undefined } | undefined;

  const ask = async (session: Session): Promise<void> => {
    if (judge !== undefined && settings !== undefined && settings.kind !== "neural") {
      evaluated = await judge(await makeTagger(session, settings), "the original");
    }
    referred = { reference: await sessionReference(session, drift.sample.candidates) };
  };
  return {
    askIn: isAsRead ? ask : undefined,
    async evaluation() {
      if (evaluated !== undefined) return evaluated;
      if (judge === undefined || settings === undefined) throw new TypeError("quantize: no gate to ask for");
      const opened = await open({ path, modelPath, settings, model }, options);
      try {
        evaluated = await judge(opened.tagger, "the original");
        if (opened.session !== undefined) {
          referred = { reference: await sessionReference(opened.session, drift.sample.candidates) };
        }
      } finally {
        await opened.close();
      }
      return evaluated;
    },
    async reference() {
      referred ??= { reference: await driftReference(drift) };
      return referred.reference;
    },
  };
}

interface Source {
  readonly path: string;
  readonly modelPath: string;
  readonly settings: TaggerSettings;
  readonly model: ModelProto | undefined;
}

/** The tagger of the file, or that of the open model where the program has one. */
async function open({ path, modelPath, settings, model }: Source, options: OpenModelOptions) {
  const shared = await ofOpenModel(path, (one) => one.opened(options));
  if (shared !== undefined) return { ...shared, close: async () => {} };
  const found = { modelPath, settings, ...(model !== undefined && { model }) };
  // Its weights were looked at when it was read.
  const opened = await openFound(found, { threads: options.threads, checkWeights: false });
  return { ...opened, close: () => opened.tagger.close() };
}
