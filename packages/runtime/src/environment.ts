import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";
import { engineInUse } from "./engine/in-use.js";
import { type InstructionSet, instructionSetsOf, modelNameOf } from "./cpu-info.js";
import { versionOf } from "./package-version.js";
import type { EngineName } from "./session.js";

/** What a measurement depends on, beside the model and the data. */
export interface Environment {
  /** Marketing name of the processor, as the system gives it. */
  readonly cpu: string;
  readonly architecture: string;
  /** Those that ONNX Runtime's kernels choose between; empty where the system does not tell. */
  readonly instructionSets: readonly InstructionSet[];
  /** Whether int8 products are summed in 32 bits by one instruction, so that uint8 × int8 cannot saturate in int16. */
  readonly int8DotProduct: boolean;
  /** Processors that this process may use. */
  readonly cores: number;
  readonly memoryBytes: number;
  readonly os: string;
  readonly node: string;
  readonly onnxruntime: string;
  /** What the session that was opened last in this process computes on; null before the first. */
  readonly engine: EngineName | null;
  /** Threads inside one operator that the measurement used. */
  readonly threads: number;
}

const readText = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

const runtimeVersion = (): string =>
  versionOf("onnxruntime-node") ?? versionOf("onnxruntime-web") ?? "not installed";

/**
 * Records the machine and the versions that a measurement was made with.
 *
 * Instruction sets come from `/proc/cpuinfo` on Linux, from what every chip of the family has on Apple silicon, and are
 * left empty elsewhere: Windows and Intel Macs do not tell without a program of their own.
 *
 * @example
 * ```ts
 * environment({ threads: 1 }).instructionSets; // ["avx2", "avx512f", "avx512_vnni"]
 * ```
 */
export const environment = ({ threads = 1 }: { readonly threads?: number } = {}): Environment => {
  const cpuinfo = platform() === "linux" ? readText("/proc/cpuinfo") : "";
  const instructionSets = instructionSetsOf(cpuinfo, platform(), arch());
  return {
    cpu: modelNameOf(cpuinfo) ?? cpus()[0]?.model.trim() ?? "unknown",
    architecture: arch(),
    instructionSets,
    int8DotProduct: instructionSets.some((name) => /vnni|dotprod|i8mm|amx_int8/.test(name)),
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    os: `${platform()} ${release()}`,
    node: process.versions.node,
    onnxruntime: runtimeVersion(),
    engine: engineInUse() ?? null,
    threads,
  };
};
