import { environment } from "@nasty/runtime";
import type { Operation } from "../../schema/operation.js";
import { versions } from "../../versions.js";
import { commandLine, pathsOf } from "./command-line.js";
import type { Fact } from "./markup.js";

/** What made a report: when, by which command, on which machine. */
export interface Run {
  readonly date: Date;
  readonly command: string;
  readonly threads: number;
  /** Files and folders that are called by their names alone. */
  readonly paths: readonly string[];
}

/**
 * The run of an operation, now.
 *
 * @param operand what the command takes without an option's name
 */
export function runOf<S extends { readonly threads: number }>(
  operation: Operation,
  settings: S,
  { operand, paths = [] }: { readonly operand?: string; readonly paths?: readonly string[] } = {},
): Run {
  return {
    date: new Date(),
    command: commandLine(operation, { ...settings }, operand),
    threads: settings.threads,
    paths: [...pathsOf(operation, { ...settings }), ...(operand === undefined ? [] : [operand]), ...paths],
  };
}

export function runFacts({ date, command, threads }: Run): Fact[] {
  const { cpu, architecture, instructionSets, node, os } = environment({ threads });
  const { nasty, onnxruntime } = versions();
  const sets = instructionSets.length === 0 ? architecture : `${architecture}; ${instructionSets.join(", ")}`;
  return [
    ["Command", command],
    ["Date", `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`],
    ["Versions", `Nasty ${nasty}, ONNX Runtime ${onnxruntime}, Node ${node}`],
    ["Processor", `${cpu} (${sets}), ${threads} thread${threads === 1 ? "" : "s"}, ${os}`],
  ];
}
