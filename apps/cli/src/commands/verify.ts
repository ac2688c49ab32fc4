import { GateError } from "@nasty/workflow/command";
import { formatCount, table } from "@nasty/workflow/report";
import { runVerification } from "@nasty/workflow/verification";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { refusalOf } from "../verification/refusal.js";

type Result = Awaited<ReturnType<typeof runVerification>>;
type Verdict = Result["engines"][number];

/** `nasty verify`: one file on every engine. */
export async function verifyFile(
  options: CommonOptions & Parameters<typeof runVerification>[0],
  terminal: Terminal,
): Promise<void> {
  const result = await runVerification(options, terminal);
  terminal.result(result, () => verificationText(result));
  if (!result.passed) throw new GateError(refusalOf(result));
}

const inputTexts = {
  text: "sentences or texts",
  given: "given inputs",
  made: "runs of generated inputs",
} as const;

function verificationText(result: Result): string {
  const { model, original, ranOn, batches, engines, reference, brokenLayer, passed } = result;
  return [
    `${model} on ${batches} ${inputTexts[ranOn]}, compared with ${original ?? `what ${reference} computes`}`,
    "",
    table(
      ["engine", "version", "", "largest error", "relative", "cosine", "other labels", `from ${reference}`],
      engines.map(row),
      ["left", "left", "left"],
    ),
    ...engines.flatMap(({ name, reason }) => (reason === undefined ? [] : ["", `${name}: ${reason}`])),
    ...(brokenLayer === null ? [] : ["", `Broken layer: ${brokenLayer.node} (${brokenLayer.operator})`]),
    "",
    passed ? "Passed." : "Refused.",
  ].join("\n");
}

function row(verdict: Verdict): string[] {
  const { name, version, status, maxError, relativeError, cosine, flips, engineError } = verdict;
  const ran = status === "agrees" || status === "departs";
  return [
    name,
    version ?? "–",
    status,
    error(maxError, ran),
    error(relativeError, ran),
    cosine === null ? "–" : cosine.toFixed(4),
    flips === undefined ? "–" : formatCount(flips),
    engineError === null ? "–" : error(engineError, ran),
  ];
}

/** Null of an engine that ran means values that are not finite. */
function error(value: number | null, ran: boolean): string {
  if (value === null) return ran ? "not finite" : "–";
  return value === 0 ? "0" : value.toPrecision(2);
}
