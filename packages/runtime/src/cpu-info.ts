/** Instruction sets that decide which matrix kernel runs. */
export type InstructionSet =
  | "sse4_1"
  | "avx"
  | "avx2"
  | "fma"
  | "f16c"
  | "avx512f"
  | "avx512bw"
  | "avx512vl"
  | "avx512_vnni"
  | "avx_vnni"
  | "avx_vnni_int8"
  | "avx512_bf16"
  | "amx_int8"
  | "neon"
  | "dotprod"
  | "i8mm"
  | "bf16"
  | "sve";

/** The kernel's name of each flag in `/proc/cpuinfo` (x86 `flags`, Arm `Features`). */
const flagNames: Readonly<Record<string, InstructionSet>> = {
  sse4_1: "sse4_1",
  avx: "avx",
  avx2: "avx2",
  fma: "fma",
  f16c: "f16c",
  avx512f: "avx512f",
  avx512bw: "avx512bw",
  avx512vl: "avx512vl",
  avx512_vnni: "avx512_vnni",
  avx_vnni: "avx_vnni",
  avx_vnni_int8: "avx_vnni_int8",
  avx512_bf16: "avx512_bf16",
  amx_int8: "amx_int8",
  asimd: "neon",
  neon: "neon",
  asimddp: "dotprod",
  i8mm: "i8mm",
  bf16: "bf16",
  sve: "sve",
};

const field = (cpuinfo: string, name: RegExp): string | undefined =>
  new RegExp(`^(?:${name.source})\\s*:\\s*(.*)$`, "m").exec(cpuinfo)?.[1]?.trim() || undefined;

/** The processor's name in the text of `/proc/cpuinfo`; Arm kernels often leave it out. */
export const modelNameOf = (cpuinfo: string): string | undefined => field(cpuinfo, /model name|Model/);

/**
 * Instruction sets in the text of `/proc/cpuinfo`, or those that the platform guarantees where there is no such file.
 */
export const instructionSetsOf = (
  cpuinfo: string,
  platform: NodeJS.Platform,
  architecture: string,
): readonly InstructionSet[] => {
  // Every Apple M chip is Armv8.4 or later, where these are mandatory.
  if (platform === "darwin" && architecture === "arm64") return ["neon", "dotprod"];
  const flags = new Set(field(cpuinfo, /flags|Features/)?.split(/\s+/));
  const present = Object.entries(flagNames).filter(([flag]) => flags.has(flag));
  return [...new Set(present.map(([, name]) => name))];
};
