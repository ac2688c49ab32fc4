// Workers as they run at the edge, in npm's workerd: without files, and without WebAssembly that is compiled at run
// time.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** How the modules of a worker are given to it, by the ends of their names. */
const kinds = { ".wasm": "wasm", ".onnx": "data", ".gz": "data" };

const kindOf = (name) => Object.entries(kinds).find(([end]) => name.endsWith(end))?.[1] ?? "esModule";

/**
 * Runs the `test` of a worker.
 *
 * @param folder that its modules lie in
 * @param modules their names, the main one first
 * @returns what it printed
 */
export function runWorker({ command, name, version }, folder, modules) {
  const config = join(folder, "worker.capnp");
  const listed = modules.map(
    (module) => `(name = ${JSON.stringify(module)}, ${kindOf(module)} = embed ${JSON.stringify(module)})`,
  );
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = .main)]);
const main :Workerd.Worker = (
  compatibilityDate = "2025-01-01",
  bindings = [(name = "self", service = "main")],
  modules = [${listed.join(", ")}],
);
`,
  );
  const { status, stdout, stderr } = spawnSync(command, ["test", config], {
    encoding: "utf8",
    timeout: 120_000,
  });
  if (status !== 0)
    throw new Error(
      `${name} ${version}: ${modules[0]}: exit code: expected 0, got ${status}: ${stdout}${stderr}`,
    );
  return stdout.trim();
}
