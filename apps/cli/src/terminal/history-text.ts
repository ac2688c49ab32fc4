import type { HistoryStep } from "@nasty/compression";

/** The record of how a model was made, a paragraph a step; hashes by their first 16 digits. */
export function historyText(history: readonly HistoryStep[]): string[] {
  if (history.length === 0) return ["History: not recorded"];
  return [
    "History, oldest step first:",
    ...history.flatMap(({ step, options, inputSha256, data = {}, versions = {} }, index) => [
      `  ${index + 1}. ${step}${optionsText(options)}`,
      ...(inputSha256 === undefined ? [] : [`     input ${shortHash(inputSha256)}`]),
      ...Object.entries(data).map(([name, hashes]) => {
        const list = typeof hashes === "string" ? [hashes] : hashes;
        return `     ${name} ${list.map(shortHash).join(", ")}`;
      }),
      ...(Object.keys(versions).length === 0
        ? []
        : [
            `     with ${Object.entries(versions)
              .map(([name, version]) => `${name} ${version}`)
              .join(", ")}`,
          ]),
    ]),
  ];
}

function shortHash(hash: string): string {
  return hash === "" ? "unknown" : `${hash.slice(0, 16)}…`;
}

/** `: mode dynamic, perChannel, skipLayers a b`: what is off or empty says nothing. */
function optionsText(options: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined || value === null || value === false) return [];
    if (Array.isArray(value) && value.length === 0) return [];
    if (typeof value === "object" && Object.keys(value).length === 0) return [];
    return value === true ? [name] : [`${name} ${valueText(value)}`];
  });
  return parts.length === 0 ? "" : `: ${parts.join(", ")}`;
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.map(valueText).join(" ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
