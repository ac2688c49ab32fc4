import { intAttribute, intsAttribute, stringAttribute } from "@nasty/formats/onnx";
import { at, build, type Nd, read } from "./array.js";
import type { Operator } from "./operator.js";

/** Convolution over one dimension, from the definition. */
export const conv: Operator = (node, [x, w, b]) => {
  const [source, weight] = [x as Nd, w as Nd];
  const [batch = 0, , length = 0] = source.shape;
  const [outputs = 0, inputs = 0, taps = 0] = weight.shape;
  const stride = intsAttribute(node, "strides", [1])[0] as number;
  const dilation = intsAttribute(node, "dilations", [1])[0] as number;
  const group = intAttribute(node, "group", 1);
  const total = (taps - 1) * dilation;
  const mode = stringAttribute(node, "auto_pad", "NOTSET");
  let [before = 0, after = 0] = mode === "VALID" ? [0, 0] : intsAttribute(node, "pads", [0, 0]);
  if (mode === "SAME_UPPER") [before, after] = [Math.floor(total / 2), Math.ceil(total / 2)];
  if (mode === "SAME_LOWER") [before, after] = [Math.ceil(total / 2), Math.floor(total / 2)];
  const steps = Math.floor((length + before + after - total - 1) / stride) + 1;
  return [
    build([batch, outputs, steps], ([n = 0, o = 0, t = 0]) => {
      let sum = b === undefined ? 0 : at(b, o);
      const first = Math.floor(o / (outputs / group)) * inputs;
      for (let i = 0; i < inputs; i++) {
        for (let k = 0; k < taps; k++) {
          const place = t * stride + k * dilation - before;
          if (place >= 0 && place < length)
            sum += read(weight, [o, i, k]) * read(source, [n, first + i, place]);
        }
      }
      return sum;
    }),
  ];
};
