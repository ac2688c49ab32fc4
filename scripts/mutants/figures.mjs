// Breaks of what computes: rounding and scales, calibration, optimizers and gradients.

const core = (name, find, put, ...tests) => ({
  file: `packages/core/src/${name}.ts`,
  find,
  put,
  tests: (tests.length === 0 ? [name] : tests).map((test) => `packages/core/test/${test}.test.ts`),
});

const calibration = (name, find, put, ...tests) => ({
  file: `packages/calibration/src/${name}.ts`,
  find,
  put,
  tests: tests.map((test) => `packages/calibration/test/${test}.test.ts`),
});

const training = (name, find, put, ...tests) => ({
  file: `packages/training/src/${name}.ts`,
  find,
  put,
  tests: tests.map((test) => `packages/training/test/${test}`),
});

export const figureMutants = [
  core("round", "return x + roundingMagic - roundingMagic;", "return Math.round(x);"),
  core("round", "if (fraction > 0.5) return floor + 1;", "if (fraction >= 0.5) return floor + 1;"),
  core("round", "if (Math.abs(x - whole) < 0.5 ||", "if (Math.abs(x - whole) <= 0.5 ||"),
  core(
    "quantize-linear",
    "out[i++] = rounded > 0 ? max : min;\n    }\n  }\n  return sawNaN;\n}\n\nfunction quantizeRow",
    "out[i++] = rounded > 0 ? max - 1 : min;\n    }\n  }\n  return sawNaN;\n}\n\nfunction quantizeRow",
  ),
  core(
    "quantize-linear",
    "out[i++] = rounded > 0 ? max : min;\n      g++;",
    "out[i++] = rounded > 0 ? max : min;",
  ),
  core(
    "quantize-measured",
    "* reciprocal) + roundingMagic - roundingMagic;\n    if (!(Math.abs(rounded) <= 127)) break;",
    "* reciprocal) + roundingMagic - roundingMagic;\n    if (!(Math.abs(rounded) <= 128)) break;",
  ),
  core(
    "quantize-measured",
    "(reciprocals[g] as number)) + roundingMagic - roundingMagic;\n    if (!(Math.abs(rounded) <= 127)) break;",
    "(reciprocals[g] as number)) + roundingMagic - roundingMagic;\n    if (!(Math.abs(rounded) <= 128)) break;",
  ),
  core("scheme", "quantMin: symmetric && !fullRange && min < 0 ? min + 1 : min", "quantMin: min"),
  core("scheme", "realMax = Math.max(-realMin, realMax);", "realMax = Math.max(realMin, realMax);"),
  core("scheme", ": roundHalfEven(quantMin - realMin / scale)", ": Math.floor(quantMin - realMin / scale)"),
  core("int4", "const sign = signed ? 8 : 0;", "const sign = 8;"),
  core("dynamic-quantize-linear", "quotient === 0 ? 1 : quotient", "quotient"),
  core(
    "reference/requantize",
    "data[i] = Math.min(max, Math.max(min, q));",
    "data[i] = q;",
    "reference/mat-mul",
  ),
  core("safe-pairs", "safePairSteps = Math.fround(127.9)", "safePairSteps = Math.fround(128.9)"),

  calibration(
    "percentile-search",
    "(total * (100 - percentile)) / 200",
    "(total * (100 - percentile)) / 100",
    "percentile-and-mse",
  ),
  calibration(
    "percentile-search",
    "if (sum > mass) return i;",
    "if (sum >= mass) return i;",
    "percentile-and-mse",
  ),
  calibration("histogram", "counts[bins / 2] = total;", "", "histogram"),
  calibration("histogram", "const index = bin > last ? last : bin;", "const index = bin;", "histogram"),
  calibration("entropy-search", "endTerm(last, right) -", "endTerm(last, 0) -", "entropy-search"),
  calibration(
    "moving-average-observer",
    "average.max + constant * (max - average.max)",
    "average.max + constant * max",
    "observers",
  ),
  calibration(
    "mse-search",
    "consider({ min: extremes.min * fraction, max: upper.max });",
    "consider({ min: extremes.min, max: upper.max });",
    "percentile-and-mse",
  ),
  calibration("real-positions", "if (padded?.[position] !== 0) walk", "walk", "real-positions"),
  calibration(
    "counted-values",
    "if (!(value > maskedBelow &&",
    "if (!(value >= maskedBelow &&",
    "counted-values",
  ),
  calibration("token-mask", "rows.length < wanted", "rows.length <= wanted", "collect-ranges"),
  calibration("method", "2 ** bits - (symmetric ? 1 : 0)", "2 ** bits", "collect-ranges", "observers"),
  calibration(
    "stratified-sample",
    "b.remainder - a.remainder || a.index - b.index",
    "a.index - b.index",
    "stratified-sample",
  ),

  training(
    "optimizers/kernels",
    "w[i] = shrink * (w[i] as number) -",
    "w[i] = (w[i] as number) -",
    "optimizers",
  ),
  training("optimizers/kernels", "+ coupled * (w[i] as number)", "", "optimizers"),
  training("optimizers/kernels", "nesterov ? x + momentum * next : next", "next", "optimizers"),
  training(
    "optimizers/schedule",
    "(step - warmUpSteps) / (totalSteps - warmUpSteps)",
    "step / totalSteps",
    "optimizers",
  ),
  training("optimizers/optimizer", "gradientNorm > limit ? limit / gradientNorm : 1", "1", "optimizers"),
  training(
    "optimizers/optimizer",
    "Math.min(options.averageDecay, (1 + steps) / (10 + steps))",
    "options.averageDecay",
    "optimizers",
  ),
  training("gradient/rules/activation", "scalar(3 * 0.044715 * c)", "scalar(0.044715 * c)", "gradient"),
  training(
    "gradient/rules/reduction",
    'writer.op("Div", [keptDimensions(c, c.gradientOrZeros(0)), count])',
    "keptDimensions(c, c.gradientOrZeros(0))",
    "gradient",
  ),
  training("gradient/rules/quantization", "writer.scalar(min - 0.5)", "writer.scalar(min)", "gradient"),
  training(
    "gradient/rules/matrix",
    "const scaled = beta === 1 ? dy :",
    "const scaled = beta !== 0 ? dy :",
    "gradient",
  ),
  training("losses/cross-entropy", "+ offValue(loss, classes);", ";", "losses"),
  training("losses/chain", "whenTrue: next, otherwise: beta", "whenTrue: next, otherwise: next", "losses"),
  training(
    "gradient/rules/elementwise",
    'writer.op("Div", [c.gradientOrZeros(0), writer.sum(wins)])',
    "c.gradientOrZeros(0)",
    "gradient/kinks.test.ts",
  ),
  training(
    "gradient/rules/activation",
    'writer.op("Greater", [c.output(0), writer.scalar(0)])',
    'writer.op("GreaterOrEqual", [c.output(0), writer.scalar(0)])',
    "gradient/kinks.test.ts",
  ),
  training("losses/chain", 'op("Mul", [logZ, present])', "logZ", "losses"),
];
