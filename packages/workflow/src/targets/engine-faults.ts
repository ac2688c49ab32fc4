import type { EngineName } from "@nasty/runtime";
import type { FormName, FoundForm } from "./forms.js";

/** A form that versions of an engine lack. */
export interface EngineFault {
  readonly form: FormName;
  readonly engines: readonly EngineName[];
  /** The first version of ONNX Runtime that has it. */
  readonly since: string;
  /** Of an operator set or IR version: the smallest that older ones refuse. */
  readonly from?: number;
  readonly reason: string;
}

const both: readonly EngineName[] = ["native", "wasm"];
const opset = (from: number, since: string): EngineFault => ({
  form: "opset",
  engines: both,
  since,
  from,
  reason: `reads operator sets up to ${from - 1}`,
});
const irVersion = (from: number, since: string): EngineFault => ({
  form: "IR version",
  engines: both,
  since,
  from,
  reason: `reads IR versions up to ${from - 1}`,
});

/**
 * What older versions of ONNX Runtime cannot run of what the quantizers write; everything else was the same numbers
 * from 1.19.2 to 1.30. Each row was found by running a tiny model of the form on the versions: `bench/engine-forms.mjs`
 * prints them all.
 */
export const engineFaults: readonly EngineFault[] = [
  {
    form: "GatherBlockQuantized",
    engines: ["native"],
    since: "1.20",
    reason: "does not have the operator",
  },
  {
    form: "GatherBlockQuantized over bytes",
    engines: both,
    since: "1.23",
    reason: "reads tables of 4 bits only as tensors of int4 or uint4, and none of 8 bits",
  },
  {
    form: "MatMulNBits with 8 bits",
    engines: ["native"],
    since: "1.22",
    reason: "has the operator for 4 bits only",
  },
  {
    form: "MatMulNBits with 8 bits",
    engines: ["wasm"],
    since: "1.23",
    reason: "has the operator for 4 bits only",
  },
  {
    form: "MatMulNBits with 8 bits and float activations",
    engines: ["native"],
    since: "1.23",
    reason: "has 8 bits with int8 activations (accuracy level 4) only",
  },
  opset(22, "1.21"),
  opset(23, "1.23"),
  opset(24, "1.24"),
  irVersion(11, "1.23"),
  irVersion(12, "1.24"),
];

/** An engine by its version: `{ name: "native", version: "1.21.0" }`. */
export interface EngineVersion {
  readonly name: EngineName;
  /** A version of ONNX Runtime; what stands behind the second number is not looked at. */
  readonly version: string;
}

/** A form in a model and why an engine cannot run it. */
export interface Lack {
  readonly found: FoundForm;
  readonly fault: EngineFault;
}

/** The forms among those found that a version of an engine lacks. */
export function lacksOf(forms: readonly FoundForm[], { name, version }: EngineVersion): readonly Lack[] {
  const known = engineFaults.filter(
    ({ engines, since }) => engines.includes(name) && isBefore(version, since),
  );
  return forms.flatMap((found) => {
    const fault = known.find(
      ({ form, from = Number.NEGATIVE_INFINITY }) =>
        form === found.form && (found.version === undefined || found.version >= from),
    );
    return fault === undefined ? [] : [{ found, fault }];
  });
}

/** What a version lacks, as the second half of a sentence: `node /words/Gather: GatherBlockQuantized over bytes: …`. */
export function lackText({ found, fault }: Lack, { name, version }: EngineVersion): string {
  const where = found.node === undefined ? "model" : `node ${found.node}`;
  const what = found.version === undefined ? found.form : `${found.form} ${found.version}`;
  return `${where}: ${what}: ONNX Runtime ${version} (${name}) ${fault.reason}; ONNX Runtime ${fault.since} has it`;
}

function isBefore(version: string, since: string): boolean {
  const [major = 0, minor = 0] = numbersOf(version);
  const [sinceMajor = 0, sinceMinor = 0] = numbersOf(since);
  return major < sinceMajor || (major === sinceMajor && minor < sinceMinor);
}

const numbersOf = (version: string): readonly number[] =>
  version.split(".").map((part) => Number.parseInt(part, 10));
