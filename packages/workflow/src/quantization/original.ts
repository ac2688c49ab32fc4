import { prepareModel, type Reference, sessionReference } from "@nasty/compression";
import type { Session } from "@nasty/runtime";
import { type DriftJob, driftReference } from "../drift/drift-check.js";
import type { Subject, Verdict } from "../kinds/kind.js";
import type { OpenModelOptions } from "../models/open-tagger.js";
import type { FedModel } from "./calibration-batches.js";

/** Asks an open model what the gate is about; the title is that of the model, for progress. */
export type Judge = (subject: Subject, title: string, reference?: Verdict) => Promise<Verdict>;

/** The float model as the gate and the check of outputs ask it: what it says is asked once, in one session. */
export interface Original {
  /**
   * Asks it in a session of its graph that is open for another purpose; undefined where that graph is not quite the
   * file's.
   */
  readonly askIn: ((session: Session) => Promise<void>) | undefined;
  /** What it says to the samples of the gate. */
  verdict(): Promise<Verdict>;
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
export function originalOf(loaded: FedModel, { drift, judge, options }: OriginalJob): Original {
  const { path, modelPath, kind, tagger } = loaded;
  const isAsRead = prepareModel(loaded.model).changes.length === 0;
  // Neural taggers run in two parts; that they are of a graph in memory spares reading it again, and it is small.
  const model = tagger?.kind === "neural" && isAsRead ? loaded.model : undefined;
  let judged: Verdict | undefined;
  let referred: { readonly reference: Reference | undefined } | undefined;

  const ask = async (session: Session): Promise<void> => {
    const subject = judge && (await kind.inSession(session));
    if (subject !== undefined) judged = await judge?.(subject, "the original");
    referred = { reference: await sessionReference(session, drift.sample.candidates) };
  };
  return {
    askIn: isAsRead ? ask : undefined,
    async verdict() {
      if (judged !== undefined) return judged;
      if (judge === undefined) throw new TypeError("quantize: no gate to ask for");
      const opened = await kind.openFile({ path, modelPath, model }, options);
      try {
        judged = await judge(opened, "the original");
        if (opened.session !== undefined) {
          referred = { reference: await sessionReference(opened.session, drift.sample.candidates) };
        }
      } finally {
        await opened.close();
      }
      return judged;
    },
    async reference() {
      referred ??= { reference: await driftReference(drift) };
      return referred.reference;
    },
  };
}
