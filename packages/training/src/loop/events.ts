/** How far the loop is. */
export interface Progress {
  readonly epoch: number;
  readonly epochs: number;
  readonly step: number;
  /** Steps of all epochs; undefined until an epoch was counted, unless the caller knows. */
  readonly totalSteps: number | undefined;
  /** Estimate from the steps of this run; undefined as long as `totalSteps` is. */
  readonly secondsLeft: number | undefined;
}

/** One line of the log: plain data, fit for JSON Lines. */
export type TrainingEvent = LoopEvent & {
  /** Which of several loops it is, such as `pretraining`; not given where there is one. */
  readonly phase?: string;
};

type LoopEvent =
  | { readonly event: "resume"; readonly epoch: number; readonly step: number }
  | ({
      readonly event: "step";
      /** Mean over the steps since the last such line. */
      readonly loss: number;
      readonly losses: Readonly<Record<string, number>>;
      readonly learningRate: number;
      readonly gradientNorm: number;
      readonly stepsPerSecond: number;
    } & Progress)
  | ({
      readonly event: "epoch";
      /** Mean over the epoch. */
      readonly loss: number;
      readonly metric: number | undefined;
      readonly best: boolean;
      readonly seconds: number;
    } & Progress)
  | { readonly event: "checkpoint"; readonly epoch: number; readonly step: number; readonly bytes: number }
  | { readonly event: "stop"; readonly reason: StopReason; readonly epoch: number; readonly step: number };

export type StopReason = "finished" | "patience" | "interrupted";
