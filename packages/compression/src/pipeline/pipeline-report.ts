import type { Figures, Score } from "./pipeline-state.js";
import type { PipelineRun, Refusal, Stage } from "./run-pipeline.js";

/** A model of the pipeline against the first one. */
export interface StageReport {
  readonly step: number;
  readonly kind: string;
  readonly status: Stage["status"];
  readonly output: Stage["output"];
  readonly metric: string | null;
  readonly value: number | null;
  /** first − this, in units of the metric. */
  readonly loss: number | null;
  readonly lossCi95: readonly [number, number] | null;
  /** Bytes of the first over bytes of this. */
  readonly sizeRatio: number | null;
  readonly msPerSentence: Figures["msPerSentence"] | null;
  /** Time of the first over time of this. */
  readonly speedup: number | null;
  readonly memoryBytes: number | null;
  readonly seconds: number;
  readonly result: unknown;
}

export interface PipelineReport {
  readonly stages: readonly StageReport[];
  readonly refused: Refusal | null;
}

export interface PipelineReportOptions {
  /** By content (SHA-256) of the outputs that were measured. */
  readonly figures: ReadonlyMap<string, Figures>;
  /** 95 % interval of the loss between two scores. */
  readonly lossInterval?: (first: Score, later: Score) => readonly [number, number] | null;
}

/** One report of all steps: metric, loss, size, speed and memory, each against the first model. */
export function pipelineReport(
  { stages, refused }: Pick<PipelineRun, "stages" | "refused">,
  { figures, lossInterval }: PipelineReportOptions,
): PipelineReport {
  const [first] = stages;
  const firstFigures = first?.output == null ? undefined : figures.get(first.output.sha256);
  return {
    stages: stages.map(({ number, output, score, ...stage }): StageReport => {
      const own = output === null ? undefined : figures.get(output.sha256);
      const base = first?.score ?? null;
      const isComparable = score !== null && base !== null && score.metric === base.metric;
      const hasBytes = output !== null && output.bytes > 0 && first?.output != null;
      return {
        step: number,
        kind: stage.kind,
        status: stage.status,
        output,
        metric: score?.metric ?? null,
        value: score?.value ?? null,
        loss: isComparable ? base.value - score.value : null,
        lossCi95: isComparable ? (lossInterval?.(base, score) ?? null) : null,
        sizeRatio: hasBytes ? first.output.bytes / output.bytes : null,
        msPerSentence: own?.msPerSentence ?? null,
        speedup:
          own === undefined || firstFigures === undefined
            ? null
            : firstFigures.msPerSentence.p50 / own.msPerSentence.p50,
        memoryBytes: own?.memoryBytes ?? null,
        seconds: stage.seconds,
        result: stage.result,
      };
    }),
    refused,
  };
}
