import { wasmModule } from "@nasty/core/wasm";
import { defineCopies } from "./copies.js";
import { type binaryKernels, defineElementwise, type unaryKernels } from "./elementwise.js";
import { defineFloatProduct, definePackPanels } from "./float-product.js";
import { defineIntegerProduct } from "./integer-product.js";
import { defineLstm } from "./lstm.js";
import { defineQuantization } from "./quantize.js";
import { defineRows } from "./rows.js";

type Kernel = (...values: number[]) => void;

export type UnaryKernel = keyof typeof unaryKernels;
export type BinaryKernel = keyof typeof binaryKernels;
export type FoldName = "sum" | "max" | "min";

/** What the module exports; the parameters stand with the definitions. */
export type Kernels = Readonly<
  Record<
    | UnaryKernel
    | BinaryKernel
    | `${FoldName}Rows`
    | `${FoldName}Planes`
    | "integerProduct"
    | "wideProduct"
    | "blockProduct"
    | "wideBlockProduct"
    | "floatProduct"
    | "packPanels"
    | "range"
    | "centre"
    | "centreBlocks"
    | "quantize"
    | "widen"
    | "widenSigned"
    | "floatOfInt8"
    | "floatOfUint8"
    | "floatOfInt32"
    | "softmax"
    | "layerNorm"
    | "copy"
    | "lstmInteger"
    | "lstmFloat",
    Kernel
  >
> & { readonly gather: (...values: number[]) => number };

/** The bytes of the one module that serves every model: it imports `nasty.memory`. */
export const kernelModule = (): Uint8Array<ArrayBuffer> => {
  const module = wasmModule();
  const quantization = defineQuantization(module);
  defineIntegerProduct(module, {
    name: "integerProduct",
    weights: "int8",
    result: "columns",
  });
  const wideProduct = defineIntegerProduct(module, {
    name: "wideProduct",
    weights: "int16",
    result: "columns",
  });
  defineIntegerProduct(module, { name: "blockProduct", weights: "int8", result: "added" });
  defineIntegerProduct(module, { name: "wideBlockProduct", weights: "int16", result: "added" });
  const floatProduct = defineFloatProduct(module);
  definePackPanels(module);
  defineElementwise(module);
  defineRows(module);
  defineCopies(module);
  defineLstm(module, { ...quantization, wideProduct, floatProduct });
  return module.bytes();
};
