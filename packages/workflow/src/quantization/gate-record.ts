import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import type { GateState, QuantizationPlan } from "@nasty/compression";
import { writeFileAtomic } from "@nasty/formats/archive/node";

/** Where a search that ran out of time is written down, so that the same command goes on where it stopped. */
export interface GateRecord {
  readonly path: string;
  read(): Promise<GateState | undefined>;
  write(state: GateState): Promise<void>;
  remove(): Promise<void>;
}

/** The same only for the same model, plan and validation text. */
function fingerprintOf(inputSha256: string, plan: QuantizationPlan, validation: string): string {
  const { mode, options, tensors, activations } = plan;
  return createHash("sha256")
    .update(JSON.stringify([inputSha256, mode, options, tensors, activations, validation]))
    .digest("hex");
}

export function gateRecord(
  output: string,
  about: { readonly inputSha256: string; readonly plan: QuantizationPlan; readonly validation: string },
): GateRecord {
  const path = `${output}.gate.json`;
  const fingerprint = fingerprintOf(about.inputSha256, about.plan, about.validation);
  return {
    path,
    async read() {
      try {
        const record = JSON.parse(await readFile(path, "utf8")) as {
          readonly fingerprint?: unknown;
          readonly state?: GateState;
        };
        return record.fingerprint === fingerprint && record.state?.schemaVersion === 1
          ? record.state
          : undefined;
      } catch {
        // Missing, cut off or someone else's: the search begins anew.
        return undefined;
      }
    },
    async write(state) {
      const text = `${JSON.stringify({ schemaVersion: 1, fingerprint, state }, null, 2)}\n`;
      await writeFileAtomic(path, [new TextEncoder().encode(text)]);
    },
    remove: () => rm(path, { force: true }),
  };
}
