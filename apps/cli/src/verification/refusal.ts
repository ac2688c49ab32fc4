import type { runVerification } from "@nasty/workflow/verification";

type Result = Awaited<ReturnType<typeof runVerification>>;

/** Why a file did not pass, in one sentence. */
export function refusalOf(result: Result): string {
  const { model, engines, brokenLayer } = result;
  const where = `verify: ${model}`;
  if (brokenLayer !== null) {
    const { node, operator, sqnrDb, minSqnrDb, inputSqnrDb } = brokenLayer;
    return `${where}: layer ${node} (${operator}): signal-to-noise ratio to the original: expected ${minSqnrDb.toFixed(0)} dB or more, got ${decibels(sqnrDb, "nothing but noise")} (its inputs: ${decibels(inputSqnrDb, "no noise")}); quantize the original again, or leave the layer in float with --skip-layers`;
  }
  const wrong = engines.find(({ status }) => status === "departs");
  if (wrong === undefined) {
    const stopped = engines.find(({ status }) => status !== "agrees");
    return `${where}: engine ${stopped?.name}: expected one that runs the file, got: ${stopped?.reason}`;
  }
  const { name, firstDifference: at, engineError, cosine } = wrong;
  const first =
    at === null
      ? "no inner value departs before it"
      : `values first depart from ${at.from === "original" ? "the original's" : `those of ${at.from}`} at ${at.operator} ${at.node}`;
  const fromEngine = at !== null && at.from !== "original";
  return fromEngine
    ? `${where}: engine ${name}: relative error of an output: expected ${result.tolerance} or less, got ${engineError?.toPrecision(2) ?? "values that are not finite"}; ${first}; do not ship the file to ${name}, or raise --tolerance`
    : `${where}: engine ${name}: cosine similarity to the original: expected ${result.minCosine} or more, got ${cosine?.toFixed(3)}; ${first}; quantize the original again with more layers in float`;
}

const decibels = (value: number | null, otherwise: string): string =>
  value === null ? otherwise : `${value.toFixed(1)} dB`;
