// What tags without ONNX Runtime: the packages that only tag, installed by themselves, and an exported module alone. On
// every engine, in Chromium and in workerd, both must compute the same bits.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import * as models from "../../packages/model-en/dist/index.js";
import { run, writeProject } from "../packed/pack.mjs";
import { digestInChromium, noChromium, whileServed } from "./chromium.mjs";
import { runWorker } from "./workerd.mjs";

const taggingPackages = ["core", "formats", "graph", "model-en", "portable", "runtime", "taggers"];
const programs = fileURLToPath(new URL("bits", import.meta.url));
const addresses = new Map(Object.entries(models).filter(([name]) => name.endsWith("Int8")));
const names = [...addresses.keys()];
const fileOf = (name) => basename(addresses.get(name).pathname);

/** Installs what only tags into a folder of its own: no ONNX Runtime comes with it. */
export function installLight(folder, packed) {
  const wanted = new Set(taggingPackages.map((name) => `@nasty/${name}`));
  writeProject(
    folder,
    packed.filter(({ manifest }) => wanted.has(manifest.name)),
  );
  run("npm", ["install", "--no-audit", "--no-fund"], { cwd: folder });
  for (const name of ["onnxruntime-node", "onnxruntime-web"])
    if (existsSync(join(folder, "node_modules", name)))
      throw new Error(`npm install @nasty/taggers @nasty/model-en: expected no ${name}, got one`);
  cpSync(programs, folder, { recursive: true });
}

/** Exports a module with the installed command into a folder that has nothing else. */
export function exportModule(folder, project) {
  mkdirSync(folder);
  cpSync(programs, folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  const packages = join(project, "node_modules", "@nasty");
  const model = join(packages, "model-en", "models", fileOf("nerInt8"));
  const args = ["export", "--model", model, "--target", "module", "--output", join(folder, "tagger.js")];
  run(process.execPath, [join(packages, "cli", "bin", "nasty.js"), ...args], { cwd: project });
}

function printed({ command, before, name, version }, folder, args) {
  const { status, stdout, stderr } = spawnSync(command, [...before, ...args], {
    cwd: folder,
    encoding: "utf8",
    timeout: 120_000,
  });
  if (status !== 0)
    throw new Error(`${name} ${version}: ${args[0]}: exit code: expected 0, got ${status}: ${stderr}`);
  return stdout.trim();
}

/** Both digests on an engine with files. */
const onEngine = (engine, { light, module }) => ({
  light: printed(engine, light, ["light-node.mjs", ...names]),
  module: printed(engine, module, ["module-node.mjs"]),
});

async function bundled(folder, program, more) {
  await build({
    absWorkingDir: folder,
    entryPoints: [program],
    bundle: true,
    format: "esm",
    platform: "browser",
    logLevel: "error",
    outExtension: { ".js": ".mjs" },
    ...more,
  });
}

const page = (program) => `<!doctype html><script type="module" src="${program}"></script>`;

/** Both digests in a page. */
async function onPages({ light, module }) {
  const site = join(light, "site");
  await bundled(light, "light-page.mjs", { outdir: join(site, "built") });
  cpSync(join(light, "node_modules", "@nasty", "model-en", "models"), join(site, "models"), {
    recursive: true,
  });
  writeFileSync(join(site, "index.html"), page("built/light-page.mjs"));
  writeFileSync(join(module, "index.html"), page("module-page.mjs"));
  const query = names.map((name) => `model=${name}`).join("&");
  const found = await whileServed(site, (address) =>
    digestInChromium({ address: `${address}/index.html?${query}` }),
  );
  const own = await whileServed(module, (address) => digestInChromium({ address: `${address}/index.html` }));
  return { version: found.version, light: found.digest, module: own.digest };
}

/** Both digests in a worker that has no files. */
async function inWorkers(engine, { light, module }) {
  const folder = join(light, "worker");
  const imports = names
    .map((name) => `import ${name} from "@nasty/model-en/models/${fileOf(name)}";\n`)
    .join("");
  writeFileSync(join(light, "models.mjs"), `${imports}export default { ${names.join(", ")} };\n`);
  await bundled(light, "light-worker.mjs", {
    outdir: folder,
    alias: { models: "./models.mjs" },
    loader: { ".wasm": "copy", ".onnx": "copy", ".gz": "copy" },
    assetNames: "[name]",
  });
  const parts = readdirSync(folder).filter((name) => !name.startsWith("light-worker"));
  const alone = ["module-worker.mjs", "tagger.js", "tagger.wasm", "digest.mjs"];
  return {
    light: runWorker(engine, folder, ["light-worker.mjs", ...parts]),
    module: runWorker(engine, module, alone),
  };
}

/**
 * Compares the bits on all engines that are there with those on the first.
 *
 * @param folders `light`: see {@link installLight}; `module`: see {@link exportModule}
 * @param engines those that were installed; `worker`: workerd
 * @returns why what was left out was
 */
export async function checkBits(folders, engines, worker) {
  const found = engines.map((engine) => ({ ...engine, ...onEngine(engine, folders) }));
  if (noChromium === undefined) found.push({ name: "Chromium", ...(await onPages(folders)) });
  if (worker.command !== undefined) found.push({ ...worker, ...(await inWorkers(worker, folders)) });
  const [first] = found;
  const digests = first.light.split("\n");
  if (digests.length !== names.length || new Set(digests).size !== names.length)
    throw new Error(
      `${first.name}: digests: expected one of each of ${names.join(", ")}, got ${first.light}`,
    );
  for (const { name, version, light, module } of found) {
    for (const [what, got, expected] of [
      ["the packages without ONNX Runtime", light, first.light],
      ["an exported module", module, first.module],
    ])
      if (got !== expected)
        throw new Error(
          `${name} ${version}: ${what}: bits: expected ${expected} as on ${first.name}, got ${got}`,
        );
    process.stdout.write(`${name} ${version}: without ONNX Runtime, and as a module: the same bits\n`);
  }
  return noChromium === undefined ? [] : [{ name: "Chromium", missing: noChromium }];
}
