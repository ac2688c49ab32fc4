import { dataConstructor, type DType, elementCount, type Tensor } from "@nasty/core";
import { unzipSync } from "fflate";
import { InputError } from "../errors.js";

/** Types of numpy in little-endian order, as `descr` says them. */
const types: Readonly<Record<string, DType>> = {
  "|b1": "bool",
  "|i1": "int8",
  "|u1": "uint8",
  "<i2": "int16",
  "<u2": "uint16",
  "<i4": "int32",
  "<u4": "uint32",
  "<i8": "int64",
  "<u8": "uint64",
  "<f2": "float16",
  "<f4": "float32",
  "<f8": "float64",
};

const widths: Readonly<Record<string, number>> = { "1": 1, "2": 2, "4": 4, "8": 8 };

/** Bytes that unpacked arrays may have together. */
const mostBytes = 2 ** 31;

/**
 * The arrays of an `.npz` archive by name.
 *
 * @param name of the file, for messages
 * @throws InputError for what is no archive, an array that is no numbers in little-endian C order, or more than 2 GB
 * @see numpy.lib.format, version 1.0 to 3.0
 */
export function readNpz(bytes: Uint8Array, name: string): ReadonlyMap<string, Tensor> {
  let total = 0;
  let files: Readonly<Record<string, Uint8Array>>;
  try {
    files = unzipSync(bytes, {
      filter: ({ originalSize }) => {
        total += originalSize;
        if (total > mostBytes)
          throw new InputError(
            `read ${name}: arrays: expected at most ${mostBytes} bytes, got more; give several files`,
          );
        return true;
      },
    });
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(
      `read ${name}: content: expected an .npz archive of numpy arrays, got ${(error as Error).message}`,
      { cause: error },
    );
  }
  return new Map(
    Object.entries(files).map(([file, content]) => [
      file.replace(/\.npy$/, ""),
      readNpy(content, `read ${name}: ${file}`),
    ]),
  );
}

/** One array: magic, version, a header in the form of a Python dictionary, values. */
function readNpy(bytes: Uint8Array, where: string): Tensor {
  const refuse = (expected: string, got: string): InputError =>
    new InputError(`${where}: expected ${expected}, got ${got}; save it with numpy.savez`);
  const magic = String.fromCharCode(...bytes.subarray(0, 6));
  if (magic !== "\x93NUMPY" || bytes.length < 12) throw refuse("a numpy array", "other bytes");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isShort = bytes[6] === 1;
  const start = isShort ? 10 : 12;
  const length = isShort ? view.getUint16(8, true) : view.getUint32(8, true);
  const header = new TextDecoder().decode(bytes.subarray(start, start + length));
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? "none";
  const dtype = Object.hasOwn(types, descr) ? types[descr] : undefined;
  if (dtype === undefined) throw refuse(`numbers of type ${Object.keys(types).join(", ")}`, descr);
  if (/'fortran_order':\s*True/.test(header)) throw refuse("values in C order", "Fortran order");
  const written = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  if (written === undefined) throw refuse("a header with a shape", JSON.stringify(header.slice(0, 80)));
  const shape = written
    .split(",")
    .map((size) => size.trim())
    .filter((size) => size !== "")
    .map(Number);
  const count = elementCount(shape);
  const width = widths[descr.at(-1) as string] ?? 1;
  const values = bytes.subarray(start + length);
  if (!Number.isSafeInteger(count) || values.length !== count * width) {
    throw refuse(`${count * width} bytes of values for [${shape.join(", ")}]`, `${values.length}`);
  }
  // A copy begins where its type must.
  const { buffer } = values.slice();
  const data = new (
    dataConstructor(dtype) as new (
      buffer: ArrayBufferLike,
      at: number,
      count: number,
    ) => Float32Array
  )(buffer, 0, count);
  return { dtype, shape, data } as unknown as Tensor;
}
