import { RuntimeError, type RuntimeErrorCode } from "./runtime-error.js";

interface Reading {
  readonly pattern: RegExp;
  readonly code: RuntimeErrorCode;
  /** What was expected and what to do, from the groups of the pattern. */
  readonly say: (groups: Readonly<Record<string, string | undefined>>) => string;
}

/** Messages of ONNX Runtime 1.30 on loading a model; the first pattern that fits is used. */
const readings: readonly Reading[] = [
  {
    pattern: /Unsupported model IR version: (?<got>\d+), max supported IR version: (?<max>\d+)/,
    code: "unsupported-model",
    say: ({ got, max }) =>
      `IR version: expected at most ${max}, got ${got}; export with an older ONNX version or update onnxruntime`,
  },
  {
    pattern:
      /Opset (?<got>\d+) is under development.*support for domain (?<domain>\S+) is till opset (?<max>\d+)/s,
    code: "unsupported-model",
    say: ({ got, max, domain }) =>
      `opset of domain ${domain}: expected at most ${max}, got ${got}; export with an older opset or update onnxruntime`,
  },
  {
    pattern: /(?<op>[\w.]*:?\w+)\((?<version>-?\d+)\) is not a registered function\/op/,
    code: "unsupported-operator",
    say: ({ op }) =>
      `operator: expected one that ONNX Runtime has, got ${op?.replace(/^:/, "")}; export without this operator`,
  },
  {
    pattern: /No Op registered for (?<op>\w+) with domain_version of (?<version>\d+)/,
    code: "unsupported-operator",
    say: ({ op, version }) =>
      `operator: expected one of opset ${version}, got ${op}; export with an opset that has this operator`,
  },
  {
    pattern:
      /Could not find an implementation for (?<op>[\w.:]+)\((?<version>\d+)\) node with name '(?<node>[^']*)'/,
    code: "unsupported-operator",
    say: ({ op, version, node }) =>
      `node ${node || "(unnamed)"}: operator ${op} of opset ${version}: expected element types that this device has a kernel for, got others; cast the inputs or use another device`,
  },
  {
    pattern: /Failed to load shared library|WebGPU adapter|no available backend found/,
    code: "device-unavailable",
    say: () => "device: expected its driver and libraries on this machine, got none; use the cpu",
  },
  {
    pattern: /protobuf parsing failed|Model data pointer is null|Protobuf parsing failed|No graph was found/i,
    code: "not-a-model",
    say: () => "content: expected an ONNX model, got bytes that do not parse as one",
  },
  {
    pattern: /File doesn't exist|No such file/i,
    code: "not-found",
    say: () => "file: expected a readable file, got none",
  },
  {
    pattern: /External initializer: (?<name>.+?) offset|external data|External data/s,
    code: "load-failed",
    say: () =>
      "external data: expected the weight files beside the model, got an unreadable one; keep them in the model's folder and open the model by path",
  },
];

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

const nodeIn = (text: string): string | undefined =>
  /Name:'(?<name>[^']*)'/.exec(text)?.groups?.name ?? /Node \((?<name>[^)]*)\)/.exec(text)?.groups?.name;

/** What the runtime threw when it loaded `where`, as a RuntimeError that says what to do; the original is the cause. */
export const toLoadError = (cause: unknown, where: string): RuntimeError => {
  if (cause instanceof RuntimeError) return cause;
  const text = textOf(cause);
  for (const { pattern, code, say } of readings) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const groups = match.groups ?? {};
    const operator = groups.op?.replace(/^:/, "");
    const node = groups.node ?? nodeIn(text);
    return new RuntimeError(code, `openSession: ${where}: ${say(groups)}`, {
      cause,
      ...(operator === undefined ? {} : { operator }),
      ...(node === undefined ? {} : { node }),
    });
  }
  const node = nodeIn(text);
  return new RuntimeError(
    "load-failed",
    `openSession: ${where}: load: expected a model that ONNX Runtime accepts, got: ${text.trim()}`,
    { cause, ...(node === undefined ? {} : { node }) },
  );
};

/** What the runtime threw when it ran, with the node it was at. */
export const toRunError = (cause: unknown): RuntimeError => {
  const text = textOf(cause);
  const match = /while running (?<op>\S+) node\. Name:'(?<node>[^']*)' Status Message: (?<what>.*)/s.exec(
    text,
  );
  if (match?.groups === undefined) {
    return new RuntimeError("run-failed", `run: model: computation: expected outputs, got: ${text.trim()}`, {
      cause,
    });
  }
  const { op, node, what } = match.groups as { op: string; node: string; what: string };
  return new RuntimeError(
    "run-failed",
    `run: node ${node || "(unnamed)"}: ${op}: expected feeds that it can compute, got: ${what.trim()}`,
    { cause, node, operator: op },
  );
};
