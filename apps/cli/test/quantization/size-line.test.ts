import { expect, test } from "vitest";
import { sizeLine } from "../../src/quantization/size-line.js";

test("smaller, larger, and larger because only the input is compressed", () => {
  const line = (from: string, fromMb: number, to: string, toMb: number) =>
    sizeLine({ path: from, bytes: fromMb * 1e6 }, { path: to, bytes: toMb * 1e6 });
  expect(line("a.onnx", 20, "b.onnx", 5)).toBe("20.00 MB -> 5.00 MB (4.00x smaller)");
  expect(line("a.onnx", 4, "b.onnx", 5)).toBe("4.00 MB -> 5.00 MB (1.25x larger)");
  const why = "the input is compressed, the output is not: --compress gzip";
  expect(line("a.onnx.br", 4, "b.onnx", 5)).toBe(`4.00 MB -> 5.00 MB (1.25x larger; ${why})`);
  expect(line("a.onnx.br", 4, "b.onnx.gz", 2)).toBe("4.00 MB -> 2.00 MB (2.00x smaller)");
});
