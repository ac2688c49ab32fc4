// Breaks of what rewrites and judges models: graphs, plans, pruning, the accuracy gate, audits, drift, names of files.

const graph = (name, find, put, ...tests) => ({
  file: `packages/graph/src/${name}.ts`,
  find,
  put,
  tests: tests.map((test) => `packages/graph/test/${test}`),
});

const compression = (name, find, put, ...tests) => ({
  file: `packages/compression/src/${name}.ts`,
  find,
  put,
  tests: tests.map((test) => `packages/compression/test/${test}`),
});

const runtime = (name, find, put, ...tests) => ({
  file: `packages/runtime/src/${name}.ts`,
  find,
  put,
  tests: tests.map((test) => `packages/runtime/test/${test}.test.ts`),
});

const workflow = (name, find, put, ...tests) => ({
  file: `packages/workflow/src/${name}.ts`,
  find,
  put,
  tests: tests.map((test) => (test.startsWith("packages/") ? test : `apps/cli/test/${test}`) + ".test.ts"),
  // Tests of commands start them.
  isBuilt: tests.some((test) => test.startsWith("commands/")),
});

const gateCommand = "commands/quantize-gate";

export const modelMutants = [
  graph("folding/fold-constants", '=== "Constant" || graph.isOutput(output))', '=== "Constant")', "folding"),
  graph(
    "folding/fold-constants",
    "graph.consumers(name).length === 1",
    "graph.consumers(name).length >= 1",
    "folding",
  ),
  graph(
    "folding/fold-constants",
    "!isStandard(node) || graph.isOutput(output)) return false;",
    "!isStandard(node)) return false;",
    "folding",
  ),
  graph("inference/dims", "if (position < 0) return undefined;", "if (position < 0) continue;", "inference"),
  graph(
    "inference/dims",
    "if (a === 1) return b;\n  if (b === 1) return a;\n  if (a === b)",
    "if (a === b)",
    "inference",
  ),
  graph(
    "operators/matrix",
    'const b = swapped(c.shape(1), c.int("transB", 0)',
    'const b = swapped(c.shape(1), c.int("transA", 0)',
    "inference",
  ),
  graph("operators/matrix", "a.length > 1 ? [a.at(-2)] : []", "a.length > 0 ? [a.at(-2)] : []", "inference"),

  compression("gate/gate", "b.value - a.value || a.kept - b.kept", "a.kept - b.kept", "gate"),
  compression(
    "gate/gate",
    "b.value - a.value || a.kept - b.kept",
    "b.value - a.value || b.kept - a.kept",
    "gate",
  ),
  compression("gate/gate", "filter(passes).sort((a, b) => a.kept - b.kept)", "filter(passes)", "gate"),
  compression("gate/gate", "bestOf(state.attempts, passes) === made;", "true;", "gate"),
  compression("gate/gate", "loss <= target + slack", "loss <= target", "gate"),
  compression("gate/gate", "filter((name) => known.has(name))", "filter(() => true)", "gate"),
  compression("gate/next-kept", "smallest - largest > 1", "smallest - largest > 2", "gate"),
  compression(
    "plan/layer-groups",
    "keptInFloat: [...plan.keptInFloat, ...nodes.values()]",
    "keptInFloat: [...nodes.values()]",
    "sensitivity",
  ),
  compression("plan/target-size", "gain > best.gain", "gain < best.gain", "plan"),
  compression(
    "pruning/select-units",
    "(layers[layer] as ArrayLike<number>).length - 1",
    "(layers[layer] as ArrayLike<number>).length",
    "pruning",
  ),
  compression("pruning/smallest-magnitudes", "=== cut.bits && equal-- > 0", "=== cut.bits", "pruning"),
  compression(
    "rewrite/weight-quantizer",
    "parameters.zeroPoint.map(() => middleOf(planned))",
    "parameters.zeroPoint",

    "modes",
  ),
  compression("rewrite/matmul", "if (graph.isOutput(output)) return true;", "", "modes/int8.test.ts"),
  compression("drift/drift", "if (Object.is(a, b)) continue;", "continue;", "drift"),
  compression("drift/drift", "finite ? cosineOf(values, changed) : 0", "cosineOf(values, changed)", "drift"),
  compression("drift/drift", "if (cosine < minCosine) return", "if (cosine <= 1) return", "drift"),

  runtime(
    "audit/audit",
    "floatMatMuls: floatKernels.length",
    'floatMatMuls: count("float")',
    "audit/audit-model",
  ),
  runtime(
    "audit/audit",
    "filter(({ unsafe }) => unsafe > 0)",
    "filter(({ unsafe }) => unsafe >= 0)",
    "audit/audit-model",
  ),
  runtime("audit/classify-qdq", 'takesIntegers(from.node) ? "exit" : "stray"', '"exit"', "audit/audit-model"),
  runtime(
    "audit/classify-qdq",
    "isOp(node, ...movers) && node.output.some",
    "node.output.some",
    "audit/audit-model",
  ),
  runtime(
    "audit/classify-qdq",
    'some((use) => isOp(use.node, "Mul"))',
    "some(() => true)",
    "audit/audit-model",
  ),
  runtime("latency", "(high - low) * (position - below)", "(high - low) * 0.5", "latency"),

  workflow(
    "quantization/gate",
    "last?.kept === kept ? last : await judge",
    "last !== undefined ? last : await judge",
    gateCommand,
  ),
  workflow(
    "quantization/gate",
    "b.outputNoise - a.outputNoise",
    "a.outputNoise - b.outputNoise",
    gateCommand,
  ),
  workflow(
    "quantization/gate",
    "return state.original === value;",
    "return value >= 0 || state.original === value;",
    gateCommand,
  ),
  workflow("drift/drift-check", "int8: 0.9,", "int8: 0.95,", "packages/workflow/test/drift/drift-check"),
  workflow(
    "drift/drift-check",
    "!finite || cosine < minCosine",
    "!finite",
    "packages/workflow/test/drift/drift-check",
  ),
  workflow(
    "drift/drift-check",
    "|| isJudged) return",
    ") return",
    "packages/workflow/test/drift/drift-check",
  ),
  workflow("files/output-name", '.replace(/_fp32$/, "")', "", "packages/workflow/test/files/output-name"),
  workflow(
    "files/output-name",
    "Number((share * 100).toFixed(2))",
    "Math.round(share * 100)",
    "packages/workflow/test/files/output-name",
  ),
  workflow(
    "files/output-name",
    "return `int8_${method}`;",
    'return "int8";',
    "packages/workflow/test/files/output-name",
  ),
  workflow(
    "files/output-name",
    "heads !== undefined || neurons !== undefined",
    "heads !== undefined",
    "packages/workflow/test/files/output-name",
  ),
];
