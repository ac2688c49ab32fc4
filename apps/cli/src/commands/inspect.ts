import { historyOf } from "@nasty/compression";
import { describeGraph } from "@nasty/graph";
import { loadModel } from "../inputs/load-model.js";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { formatBytes, formatCount, table } from "../terminal/format.js";

interface InspectOptions extends CommonOptions {
  readonly model: string;
}

/** `nasty inspect`: what a model file holds: operators, weights by type, tagger, how it was made. */
export async function inspect({ model: path }: InspectOptions, terminal: Terminal): Promise<void> {
  const { model, tagger, modelBytes, sha256 } = await loadModel(path);
  const description = describeGraph(model);
  const history = historyOf(model);
  const result = {
    path,
    modelBytes,
    sha256: await sha256(),
    ...description,
    tagger: tagger === undefined ? null : { kind: tagger.kind, task: tagger.task, labels: tagger.labels },
    history,
    metadata: model.metadataProps.map(({ key }) => key),
  };
  terminal.result(result, () =>
    [
      `${path}: ${formatBytes(modelBytes)}`,
      `  opset ${Object.entries(result.opsets)
        .map(([domain, version]) => `${domain} ${version}`)
        .join(", ")}; IR ${result.irVersion}${result.producer === "" ? "" : `; made by ${result.producer}`}`,
      `  ${formatCount(description.parameters)} parameters, ${formatCount(description.nodes)} nodes`,
      tagger === undefined
        ? "  no tagger inside or beside it"
        : `  ${tagger.task} tagger (${tagger.kind}): ${tagger.labels.join(" ")}`,
      "",
      table(
        ["weights", "tensors", "size"],
        description.precisions.map(({ dtype, tensors, bytes }) => [
          dtype,
          formatCount(tensors),
          formatBytes(bytes),
        ]),
      ),
      "",
      table(
        ["operator", "nodes"],
        description.ops.map(({ domain, op, count }) => [
          domain === "" ? op : `${domain}.${op}`,
          formatCount(count),
        ]),
      ),
      ...(history.length === 0
        ? []
        : [
            "",
            "History:",
            ...history.map(
              ({ step, options }, index) => `  ${index + 1}. ${step} ${JSON.stringify(options)}`,
            ),
          ]),
    ].join("\n"),
  );
}
