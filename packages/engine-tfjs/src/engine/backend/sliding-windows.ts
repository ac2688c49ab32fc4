import type { KernelConfig, TensorInfo } from "@tensorflow/tfjs-core";
import type { TensorFlow, TfTensor } from "../tensorflow.js";
import type { WasmBackend } from "./wasm-backend.js";

const windows = "NastySlidingWindows";
const gradient = "NastySlidingWindowsGradient";

interface Taps {
  readonly taps: number;
}

/**
 * Windows of a WebAssembly tensor [N, T, I] as [N, T − taps + 1, taps·I]: each is a stretch of memory, so it is copied
 * in one piece. Slices and concatenations, and their gradients, go element by element there.
 */
export function slidingWindows(tf: TensorFlow, x: TfTensor, taps: number): TfTensor {
  const [, length = 0] = x.shape;
  return tf.customGrad((operand) => ({
    value: run(tf, windows, { x: operand as TfTensor }, { taps }),
    gradFunc: (dy: TfTensor) => run(tf, gradient, { dy }, { taps, length }),
  }))(x);
}

function run(
  tf: TensorFlow,
  kernel: string,
  inputs: Record<string, TfTensor>,
  attributes: Readonly<Record<string, number>>,
): TfTensor {
  return tf.engine().runKernel(kernel, inputs, { ...attributes });
}

/** The kernels that `slidingWindows` runs. */
export const slidingWindowKernels: readonly KernelConfig[] = [
  {
    kernelName: windows,
    backendName: "wasm",
    kernelFunc: ({ inputs, attrs, backend }) => {
      const wasm = backend as unknown as WasmBackend;
      const { x } = inputs as { x: TensorInfo };
      const { taps } = attrs as unknown as Taps;
      const [batch = 0, length = 0, width = 0] = x.shape;
      const [steps, size] = [length - taps + 1, taps * width];
      const out = wasm.makeOutput([batch, steps, size], x.dtype);
      const [to, from] = [wasm.typedArrayFromHeap(out), wasm.typedArrayFromHeap(x)];
      for (let n = 0, at = 0; n < batch; n++) {
        for (let t = 0; t < steps; t++, at += size) {
          const start = (n * length + t) * width;
          to.set(from.subarray(start, start + size), at);
        }
      }
      return out;
    },
  },
  {
    kernelName: gradient,
    backendName: "wasm",
    kernelFunc: ({ inputs, attrs, backend }) => {
      const wasm = backend as unknown as WasmBackend;
      const { dy } = inputs as { dy: TensorInfo };
      const { taps, length } = attrs as unknown as Taps & { readonly length: number };
      const [batch = 0, steps = 0, size = 0] = dy.shape;
      const width = size / taps;
      const out = wasm.makeOutput([batch, length, width], dy.dtype);
      const [to, from] = [wasm.typedArrayFromHeap(out), wasm.typedArrayFromHeap(dy)];
      to.fill(0);
      for (let n = 0, at = 0; n < batch; n++) {
        for (let t = 0; t < steps; t++, at += size) {
          const start = (n * length + t) * width;
          for (let j = 0; j < size; j++) to[start + j] = (to[start + j] as number) + (from[at + j] as number);
        }
      }
      return out;
    },
  },
];
