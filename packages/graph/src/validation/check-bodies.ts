import { type GraphProto, graphAttribute, intAttribute, type NodeProto } from "@nasty/formats/onnx";
import { isStandard } from "../operators/traits.js";
import { nodeError, type NodePlace } from "./node-error.js";

/** Checks the graphs of If, Loop and Scan: present, with as many inputs and outputs as the node passes and takes. */
export function checkBodies(node: NodeProto, path: string, position: number): void {
  if (!isStandard(node)) return;
  const place = { node, path, position };
  if (node.opType === "If") {
    for (const branch of ["then_branch", "else_branch"]) {
      const body = bodyOf(place, branch);
      expectCount(place, branch, "inputs", 0, body.input.length - listedInitializers(body));
      expectCount(place, branch, "outputs", node.output.length, body.output.length);
    }
  } else if (node.opType === "Loop") {
    const body = bodyOf(place, "body");
    const carried = Math.max(0, node.input.length - 2);
    expectCount(place, "body", "inputs", carried + 2, body.input.length - listedInitializers(body));
    // The body's first output is the condition, which the node does not hand on.
    expectCount(place, "body", "outputs", node.output.length + 1, body.output.length);
  } else if (node.opType === "Scan") {
    const body = bodyOf(place, "body");
    const scanned = intAttribute(node, "num_scan_inputs", 0);
    if (scanned < 1 || scanned > node.input.length) {
      throw nodeError(
        "subgraph-outputs",
        place,
        `num_scan_inputs: expected 1 to ${node.input.length}, got ${scanned}`,
      );
    }
    expectCount(place, "body", "outputs", node.output.length, body.output.length);
  }
}

/** Initializers that older files list among a body's inputs. */
const listedInitializers = (body: GraphProto): number => {
  const names = new Set(body.initializer.map(({ name }) => name));
  return body.input.filter(({ name }) => names.has(name)).length;
};

const bodyOf = (place: NodePlace, attribute: string): GraphProto => {
  const body = graphAttribute(place.node, attribute);
  if (body !== undefined) return body;
  throw nodeError("missing-subgraph", place, `${attribute}: expected a graph, got none`);
};

const expectCount = (
  place: NodePlace,
  attribute: string,
  what: string,
  expected: number,
  got: number,
): void => {
  if (expected === got) return;
  throw nodeError("subgraph-outputs", place, `${attribute}: ${what}: expected ${expected}, got ${got}`);
};
