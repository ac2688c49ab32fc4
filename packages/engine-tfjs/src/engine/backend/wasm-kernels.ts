import type { KernelConfig, TensorInfo } from "@tensorflow/tfjs-core";
import type { TensorFlow, TfTensor } from "../tensorflow.js";
import { slidingWindowKernels } from "./sliding-windows.js";
import type { WasmBackend } from "./wasm-backend.js";

const repaired = new WeakSet<TensorFlow>();

/**
 * Registers the kernels of gradients that the WebAssembly backend of TensorFlow.js 4.22 lacks, only where they lack,
 * and replaces two slow ones: that which copies a tensor, which the tape does with everything that a gradient needs,
 * and that which takes one apart.
 */
export function registerWasmKernels(tf: TensorFlow): void {
  if (repaired.has(tf)) return;
  repaired.add(tf);
  tf.unregisterKernel("Identity", "wasm");
  tf.registerKernel(sharingIdentity());
  const unpack = tf.getKernel("Unpack", "wasm");
  tf.unregisterKernel("Unpack", "wasm");
  tf.registerKernel(stretchUnpack(unpack));
  for (const kernel of [unsortedSegmentSum(), filterGradient(tf), ...slidingWindowKernels]) {
    if (tf.getKernel(kernel.kernelName, "wasm") === undefined) tf.registerKernel(kernel);
  }
}

/** Tensors never change, so a copy may have the data of its original; as the backend's own Reshape does. */
function sharingIdentity(): KernelConfig {
  return {
    kernelName: "Identity",
    backendName: "wasm",
    kernelFunc: ({ inputs, backend }) => {
      const { x } = inputs as { x: TensorInfo };
      (backend as unknown as WasmBackend).incRef(x.dataId);
      return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
    },
  };
}

/**
 * Parts along the first axis are stretches of memory, and copied as such; the backend's own kernel goes element by
 * element.
 */
function stretchUnpack(own: KernelConfig): KernelConfig {
  return {
    ...own,
    kernelFunc: (call) => {
      const { value } = call.inputs as { value: TensorInfo };
      if ((call.attrs as unknown as { axis: number }).axis !== 0) return own.kernelFunc(call);
      const wasm = call.backend as unknown as WasmBackend;
      const [count = 0, ...shape] = value.shape;
      const size = shape.reduce((a, b) => a * b, 1);
      return Array.from({ length: count }, (_, i) => {
        const out = wasm.makeOutput(shape, value.dtype);
        const source = wasm.typedArrayFromHeap(value).subarray(i * size, (i + 1) * size);
        wasm.typedArrayFromHeap(out).set(source);
        return out;
      });
    },
  };
}

/** out[segment[i]] += x[i] by rows: the gradient of looking up rows of a table. */
function unsortedSegmentSum(): KernelConfig {
  return {
    kernelName: "UnsortedSegmentSum",
    backendName: "wasm",
    kernelFunc: ({ inputs, attrs, backend }) => {
      const wasm = backend as unknown as WasmBackend;
      const { x, segmentIds } = inputs as { x: TensorInfo; segmentIds: TensorInfo };
      const segments = (attrs as unknown as { numSegments: number }).numSegments;
      const rest = x.shape.slice(segmentIds.shape.length);
      const out = wasm.makeOutput([segments, ...rest], x.dtype);
      // Views are made after the allocation, which may have moved the heap.
      const [sums, rows, ids] = [out, x, segmentIds].map((one) => wasm.typedArrayFromHeap(one)) as [
        Float32Array,
        Float32Array,
        Int32Array,
      ];
      const width = rest.reduce((a, b) => a * b, 1);
      sums.fill(0);
      for (let i = 0; i < ids.length; i++) {
        const [to, from] = [(ids[i] as number) * width, i * width];
        if (to < 0) continue;
        for (let j = 0; j < width; j++) sums[to + j] = (sums[to + j] as number) + (rows[from + j] as number);
      }
      return out;
    },
  };
}

/** dW[i, j] = (window of X at i, j)ᵀ · dY, one matrix product for each tap. */
function filterGradient(tf: TensorFlow): KernelConfig {
  return {
    kernelName: "Conv2DBackpropFilter",
    backendName: "wasm",
    kernelFunc: ({ inputs, attrs }) => {
      const { x, dy } = inputs as unknown as { x: TfTensor; dy: TfTensor };
      const { strides, pad, dimRoundingMode, filterShape } = attrs as unknown as {
        strides: number | [number, number];
        pad: "valid" | "same" | number;
        dimRoundingMode?: "floor" | "round" | "ceil";
        filterShape: [number, number, number, number];
      };
      return tf.tidy(() => {
        const info = tf.backend_util.computeConv2DInfo(
          x.shape as [number, number, number, number],
          filterShape,
          strides,
          1,
          pad,
          dimRoundingMode,
        );
        const { top, bottom, left, right } = info.padInfo;
        const padded = tf.pad(x, [
          [0, 0],
          [top, bottom],
          [left, right],
          [0, 0],
        ]);
        const [height, width, channels, outputs] = filterShape;
        const columns = tf.reshape(dy, [-1, outputs]);
        const taps: TfTensor[] = [];
        for (let i = 0; i < height; i++) {
          for (let j = 0; j < width; j++) {
            const window = tf.stridedSlice(
              padded,
              [0, i, j, 0],
              [
                info.batchSize,
                i + (info.outHeight - 1) * info.strideHeight + 1,
                j + (info.outWidth - 1) * info.strideWidth + 1,
                channels,
              ],
              [1, info.strideHeight, info.strideWidth, 1],
            );
            taps.push(tf.matMul(tf.transpose(tf.reshape(window, [-1, channels])), columns));
          }
        }
        return tf.reshape(tf.stack(taps), filterShape);
      });
    },
  };
}
