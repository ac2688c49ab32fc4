import {
  dataTypeOf,
  floatAttribute,
  floatsAttribute,
  intAttribute,
  intsAttribute,
  stringAttribute,
} from "@nasty/formats/onnx";
import {
  cannotRaise,
  dropping,
  float32,
  hasAttribute,
  moveToInput,
  type RaiseRule,
  replaceNode,
  type VersionRule,
} from "./rule.js";

/** What Cast's target was called while it was a name. */
const typeNames: ReadonlyMap<string, number> = new Map([
  ["FLOAT", dataTypeOf("float32")],
  ["UINT8", dataTypeOf("uint8")],
  ["INT8", dataTypeOf("int8")],
  ["UINT16", dataTypeOf("uint16")],
  ["INT16", dataTypeOf("int16")],
  ["INT32", dataTypeOf("int32")],
  ["INT64", dataTypeOf("int64")],
  ["BOOL", dataTypeOf("bool")],
  ["FLOAT16", dataTypeOf("float16")],
  ["DOUBLE", dataTypeOf("float64")],
  ["UINT32", dataTypeOf("uint32")],
  ["UINT64", dataTypeOf("uint64")],
]);

const castTarget: RaiseRule = (raised) => {
  const { graph, node } = raised;
  const target = stringAttribute(node, "to", "").toUpperCase();
  const number = typeNames.get(target);
  if (number === undefined) {
    throw cannotRaise(raised, `to: expected the name of a number type, got ${JSON.stringify(target)}`);
  }
  graph.setAttribute(node, "to", number);
};

const defaultAxis: RaiseRule = ({ graph, node }) => {
  if (intAttribute(node, "axis") === undefined) graph.setAttribute(node, "axis", 1);
};

/** The dimensions from `axis` on were one before version 13; that is the same only for the last axis. */
const coercedAxes: RaiseRule = (raised) => {
  const { graph, node, typeOf } = raised;
  const axis = intAttribute(node, "axis", 1);
  const [input = "", output = ""] = [node.input[0], node.output[0]];
  const rank = typeOf(input).shape?.length;
  graph.setAttribute(node, "axis", -1);
  if (axis === -1 || axis + 1 === rank) return;
  const [flat, shares, shape] = ["flat", "shares", "shape"].map((what) =>
    graph.uniqueName(`${output}/${what}`),
  ) as [string, string, string];
  const before = { before: node };
  graph.addNode({ opType: "Flatten", inputs: [input], outputs: [flat], attributes: { axis } }, before);
  graph.addNode({ opType: "Shape", inputs: [input], outputs: [shape] }, before);
  graph.setInput(node, 0, flat);
  graph.setOutput(node, 0, shares);
  graph.addNode({ opType: "Reshape", inputs: [shares, shape], outputs: [output] }, { after: node });
};

/** Statistics of a training step were outputs; a model that is run has one. */
const inferenceOnly =
  (attribute: string): RaiseRule =>
  (raised) => {
    const { node } = raised;
    if (node.output.filter((name) => name !== "").length > 1) {
      throw cannotRaise(
        raised,
        "outputs: expected one, as a model that is run has, got those of a training step",
      );
    }
    dropping(attribute)(raised);
  };

const spatial: RaiseRule = (raised) => {
  if (intAttribute(raised.node, "spatial", 1) !== 1) {
    throw cannotRaise(raised, "spatial: expected statistics a channel, got ones a position");
  }
  dropping("spatial")(raised);
};

const upsampleScales: RaiseRule = (raised) => {
  const { graph, node } = raised;
  const [height, width] = ["height_scale", "width_scale"].map((name) => floatAttribute(node, name));
  if (height === undefined || width === undefined) return;
  graph.setAttribute(node, "scales", { kind: "floats", value: [1, 1, height, width] });
  dropping("height_scale", "width_scale")(raised);
};

const scalesInput: RaiseRule = (raised) => {
  const scales = floatsAttribute(raised.node, "scales");
  if (scales !== undefined) moveToInput(raised, "scales", 1, float32(scales));
};

const bilinear: RaiseRule = ({ graph, node }) => {
  if (stringAttribute(node, "mode", "nearest") === "bilinear") graph.setAttribute(node, "mode", "linear");
};

const upsampleToResize: RaiseRule = (raised) => {
  bilinear(raised);
  replaceNode(raised, { opType: "Resize" });
};

/** Positions were scaled from the corner; now that is one of several ways. */
const resize: RaiseRule = ({ graph, node }) => {
  const scales = node.input[1] ?? "";
  graph.setInput(node, 1, "");
  graph.setInput(node, 2, scales);
  graph.setAttribute(node, "coordinate_transformation_mode", "asymmetric");
  if (stringAttribute(node, "mode", "nearest") === "nearest")
    graph.setAttribute(node, "nearest_mode", "floor");
};

const tile: RaiseRule = (raised) => {
  const { graph, node, typeOf } = raised;
  const [tiles, axis] = [node.input[1], node.input[2]].map((name) => graph.constant(name ?? "")?.data[0]);
  const rank = typeOf(node.input[0] ?? "").shape?.length;
  if (tiles === undefined || axis === undefined || rank === undefined) {
    throw cannotRaise(raised, "tiles: expected a constant for an input of known rank, got a computed one");
  }
  const repeats = Array.from({ length: rank }, (_, at) => BigInt(at === Number(axis) ? tiles : 1));
  const value = { dtype: "int64" as const, shape: [rank], data: BigInt64Array.from(repeats) };
  const repeated = graph.addInitializer(`${node.output[0] ?? ""}/repeats`, value);
  replaceNode(raised, { inputs: [node.input[0] ?? "", repeated] });
};

const gridModes: ReadonlyMap<string, string> = new Map([
  ["bilinear", "linear"],
  ["bicubic", "cubic"],
]);

const gridSample: RaiseRule = ({ graph, node }) => {
  const mode = stringAttribute(node, "mode", "bilinear");
  graph.setAttribute(node, "mode", gridModes.get(mode) ?? mode);
};

const roiAlign: RaiseRule = (raised) => {
  const { graph, node } = raised;
  const name = "coordinate_transformation_mode";
  if (!hasAttribute(raised, name)) graph.setAttribute(node, name, "output_half_pixel");
};

const refused =
  (what: string): RaiseRule =>
  (raised) => {
    throw cannotRaise(raised, what);
  };

const padding: RaiseRule = (raised) => {
  const values = intsAttribute(raised.node, "paddings");
  if (values === undefined) return;
  raised.graph.setAttribute(raised.node, "pads", { kind: "ints", value: values });
  dropping("paddings")(raised);
};

/** Operators that a version gave another meaning, name or default. */
export const meaningRules: readonly VersionRule[] = [
  { ops: ["Pad"], since: 2, rule: padding },
  { ops: ["Concat"], since: 4, rule: defaultAxis },
  { ops: ["Cast"], since: 6, rule: castTarget },
  { ops: ["Tile"], since: 6, rule: tile },
  { ops: ["BatchNormalization"], since: 7, rule: inferenceOnly("is_test") },
  { ops: ["Upsample"], since: 7, rule: upsampleScales },
  { ops: ["BatchNormalization"], since: 9, rule: spatial },
  { ops: ["Upsample"], since: 9, rule: scalesInput },
  { ops: ["Scan"], since: 9, rule: refused("expected a Scan without a batch, got one of operator set 8") },
  { ops: ["Upsample"], since: 10, rule: upsampleToResize },
  { ops: ["Resize"], since: 11, rule: resize },
  {
    ops: ["Scatter"],
    since: 11,
    rule: (raised) => {
      replaceNode(raised, { opType: "ScatterElements" });
    },
  },
  { ops: ["Softmax", "LogSoftmax", "Hardmax"], since: 13, rule: coercedAxes },
  { ops: ["BatchNormalization"], since: 14, rule: inferenceOnly("training_mode") },
  { ops: ["RoiAlign"], since: 16, rule: roiAlign },
  { ops: ["GridSample"], since: 20, rule: gridSample },
  {
    ops: ["GroupNormalization"],
    since: 21,
    rule: refused("expected scale and bias a channel, got ones a group"),
  },
];
