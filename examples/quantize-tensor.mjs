// Quantize a tensor per channel and see what each scheme costs.
import {
  dequantizeLinear,
  parametersOf,
  perChannel,
  perTensor,
  quantizeLinear,
  sqnrDb,
  tensor,
} from "@nasty/core";

const weight = tensor(
  "float32",
  [4, 3],
  Float32Array.of(0.1, -2, 0.03, 0.2, 1.5, -0.01, -0.3, 0.7, 0.02, 0.05, -1.1, 0.04),
);
for (const [name, granularity] of [
  ["per tensor", perTensor],
  ["per column", perChannel(1)],
]) {
  const parameters = parametersOf(weight, { dtype: "int8", symmetric: true }, granularity);
  const restored = dequantizeLinear(quantizeLinear(weight, parameters), parameters);
  console.log(
    name,
    "scales",
    [...parameters.scale],
    "SQNR",
    sqnrDb(weight.data, restored.data).toFixed(1),
    "dB",
  );
}
