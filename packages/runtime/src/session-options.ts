import type { OrtSessionOptions } from "./ort-module.js";
import { RuntimeError } from "./runtime-error.js";
import type { Optimization, SessionOptions } from "./session.js";

const levels: Readonly<Record<Optimization, NonNullable<OrtSessionOptions["graphOptimizationLevel"]>>> = {
  all: "all",
  layout: "layout",
  extended: "extended",
  basic: "basic",
  none: "disabled",
};

/** Severity 4 (fatal): the runtime otherwise prints to stderr what it also throws, and libraries never print. */
const logSeverityLevel = 4;

const checkThreads = (name: string, value: number): number => {
  if (!Number.isInteger(value) || value < 0 || value > 1024) {
    throw new RuntimeError(
      "invalid-option",
      `openSession: ${name}: expected an integer in 0..1024, got ${value}`,
    );
  }
  return value;
};

const checkChoice = <T extends string>(name: string, value: T, choices: readonly T[]): T => {
  if (!choices.includes(value)) {
    throw new RuntimeError(
      "invalid-option",
      `openSession: ${name}: expected one of ${choices.join(", ")}, got ${String(value)}`,
    );
  }
  return value;
};

const checkConfig = (entries: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
  for (const [key, value] of Object.entries(entries)) {
    if (typeof value !== "string") {
      throw new RuntimeError(
        "invalid-option",
        `openSession: config: ${key}: expected a string, got ${typeof value}`,
      );
    }
  }
  return entries;
};

/**
 * Our session options in the runtime's terms.
 *
 * @throws RuntimeError `invalid-option` for a thread count, level or configuration value out of range.
 */
export const toOrtOptions = (options: SessionOptions, defaultDevice: string): OrtSessionOptions => {
  const { threads = 1, interOpThreads = 1, execution = "sequential", spinning = true } = options;
  const { optimization = "all", device = defaultDevice, optimizedModelPath, config = {} } = options;
  checkChoice("optimization", optimization, Object.keys(levels) as Optimization[]);
  checkChoice("execution", execution, ["sequential", "parallel"]);
  const flag = spinning ? "1" : "0";
  return {
    executionProviders: [device],
    intraOpNumThreads: checkThreads("threads", threads),
    interOpNumThreads: checkThreads("interOpThreads", interOpThreads),
    executionMode: execution,
    graphOptimizationLevel: levels[optimization],
    logSeverityLevel,
    ...(optimizedModelPath === undefined ? {} : { optimizedModelFilePath: optimizedModelPath }),
    extra: {
      "session.intra_op.allow_spinning": flag,
      "session.inter_op.allow_spinning": flag,
      ...checkConfig(config),
    },
  };
};
