import { parseJson } from "@nasty/formats/json";
import { getMetadata, withMetadata, type ModelProto } from "@nasty/formats/onnx";

/** Where a step's input came from and what made its output, as far as the caller knows. */
export interface Provenance {
  /**
   * SHA-256 of the file that the model's weights were read from, hexadecimal; training from random weights has none.
   */
  readonly inputSha256?: string;
  /**
   * SHA-256 of the texts and other models that took part, by what they were for: `train`, `calibration`, `teacher`, …
   */
  readonly data?: Readonly<Record<string, string | readonly string[]>>;
  /** Versions of the packages and runtimes at work. */
  readonly versions?: Readonly<Record<string, string>>;
}

/** One step in the making of a model. No time and no path: the same work gives the same bytes. */
export interface HistoryStep extends Provenance {
  readonly step: string;
  readonly options: Readonly<Record<string, unknown>>;
}

const key = "nasty.history";

interface History {
  readonly schemaVersion: 1;
  readonly steps: readonly HistoryStep[];
}

/**
 * How a model was made, oldest step first; empty for a model that nothing was recorded in.
 *
 * A record that cannot be read counts as none, and so does a step that is not in the form of one: it describes the
 * model, it is not part of it.
 */
export function historyOf(model: ModelProto): readonly HistoryStep[] {
  const text = getMetadata(model, key);
  if (text === undefined) {
    return [];
  }
  try {
    const history = parseJson(text) as Partial<History> | null;
    return Array.isArray(history?.steps) ? history.steps.filter(isStep) : [];
  } catch {
    return [];
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isText = (value: unknown): value is string => typeof value === "string";

const isTexts = (value: unknown): boolean => isText(value) || (Array.isArray(value) && value.every(isText));

const isRecordOf = (value: unknown, holds: (entry: unknown) => boolean): boolean =>
  value === undefined || (isRecord(value) && Object.values(value).every(holds));

/** Whether an entry of the record is a step: other programs and hands write into metadata too. */
function isStep(entry: unknown): entry is HistoryStep {
  if (!isRecord(entry) || !isText(entry["step"]) || !isRecord(entry["options"])) return false;
  const { inputSha256, data, versions } = entry;
  return (
    (inputSha256 === undefined || isText(inputSha256)) &&
    isRecordOf(data, isTexts) &&
    isRecordOf(versions, isText)
  );
}

/**
 * The model with the steps of an earlier model in front of its own: for a step that builds a new graph from a model's
 * weights.
 *
 * @example withEarlierHistory(tuned, historyOf(base))
 */
export function withEarlierHistory(model: ModelProto, earlier: readonly HistoryStep[]): ModelProto {
  return earlier.length === 0 ? model : written(model, [...earlier, ...historyOf(model)]);
}

/**
 * The model with one more step in its `nasty.history`.
 *
 * @example withHistory(model, { step: "quantize", options: { mode: "dynamic" }, inputSha256: "9f86…" })
 */
export function withHistory(model: ModelProto, step: HistoryStep): ModelProto {
  return written(model, [...historyOf(model), step]);
}

function written(model: ModelProto, steps: readonly HistoryStep[]): ModelProto {
  const history: History = { schemaVersion: 1, steps };
  return withMetadata(model, { [key]: JSON.stringify(history) });
}
