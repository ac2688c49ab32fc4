import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelProto,
} from "@nasty/formats/onnx";
import { writeModelFile } from "@nasty/formats/onnx/node";

/** Numbers of a frame. */
export const width = 24;
const classes = 6;
const noise = (i: number): number => 0.3 * Math.sin(i * 12.9898);

/** Sound with a state, as voice detectors have it: a frame and what was heard before in, scores and a state out. */
export function voice({ factor = 1 } = {}): ModelProto {
  const weight = (rows: number, columns: number, scale = 1): Float32Array =>
    Float32Array.from({ length: rows * columns }, (_, i) => scale * noise(i));
  const graph = makeGraph("voice", {
    nodes: [
      makeNode("MatMul", ["input", "first.weight"], ["heard"], { name: "/first/MatMul" }),
      makeNode("Add", ["heard", "state"], ["both"], { name: "/mix/Add" }),
      makeNode("Tanh", ["both"], ["stateN"], { name: "/mix/Tanh" }),
      makeNode("MatMul", ["stateN", "second.weight"], ["scores"], { name: "/second/MatMul" }),
    ],
    inputs: [
      makeValueInfo("input", "float32", ["batch", width]),
      makeValueInfo("state", "float32", ["batch", width]),
    ],
    outputs: [
      makeValueInfo("scores", "float32", ["batch", classes]),
      makeValueInfo("stateN", "float32", ["batch", width]),
    ],
    initializers: [
      makeTensor("first.weight", "float32", { values: weight(width, width, factor), shape: [width, width] }),
      makeTensor("second.weight", "float32", { values: weight(width, classes), shape: [width, classes] }),
    ],
  });
  return makeModel(graph, { opsets: { "": 17 }, irVersion: 8 });
}

const frame = (n: number): number[][] => [
  Array.from({ length: width }, (_, i) => Math.sin(n * 3.7 + i * 1.3)),
];
/** Thirty frames, the same ones always. */
export const frames = Array.from({ length: 30 }, (_, n) => ({ input: frame(n), state: frame(n + 100) }));

export const writeVoice = (path: string): Promise<unknown> => writeModelFile(path, voice());
