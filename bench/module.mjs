// Exported modules: their bytes, and whole processes from the import to the first tags, beside the same tagger of the
// packages on the portable engine.
//   node bench/module.mjs MODEL… [--rounds 7]
// The processes take turns; medians, and the ratio of processor time, which other work on the machine disturbs less.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { environment } from "../packages/runtime/dist/index.js";
import { exportModel } from "../packages/workflow/dist/index.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "7" } },
});
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const text = JSON.stringify("Time flies like an arrow.");

const moduleProgram = (path) => `
  const { tag } = await import(${JSON.stringify(pathToFileURL(path).href)});
  const [{ words }] = await tag(${text});`;

const packagesProgram = (model) => `
  const { openTagger } = await import(${JSON.stringify(new URL("../packages/taggers/dist/node.js", import.meta.url).href)});
  const { tagText } = await import(${JSON.stringify(new URL("../packages/taggers/dist/index.js", import.meta.url).href)});
  const tagger = await openTagger(${JSON.stringify(resolve(model))}, { engine: "portable" });
  for await (const { words } of tagText(tagger, ${text})) words.length;`;

/** Seconds of a whole process, and of the processor in it. */
function timed(code) {
  const said = `${code}; const { user, system } = process.cpuUsage(); console.log((user + system) / 1e6);`;
  const begun = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", said], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return { wall: (performance.now() - begun) / 1000, processor: Number(stdout) };
}

function sizes(path) {
  const bytes = readFileSync(path);
  return `${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} gzipped`;
}

const { cpu, instructionSets, node } = environment();
console.log(`${cpu}, ${instructionSets.join(" ")}, Node ${node}`);
for (const kind of ["neural", "sequence", "transformer"])
  console.log(
    `code for ${kind} taggers: ${sizes(new URL(`../packages/workflow/dist/tagger-module/${kind}.js`, import.meta.url))}`,
  );

const work = mkdtempSync(join(tmpdir(), "nasty-bench-module-"));
try {
  for (const model of positionals) {
    const output = join(work, "tagger.mjs");
    await exportModel(model, { target: "module", output });
    const programs = { module: moduleProgram(output), packages: packagesProgram(model) };
    const runs = { module: [], packages: [] };
    for (let round = 0; round <= Number(values.rounds); round++)
      for (const [name, code] of Object.entries(programs)) {
        const run = timed(code);
        if (round > 0) runs[name].push(run);
      }
    const of = (name, what) => median(runs[name].map((run) => run[what]));
    const said = Object.keys(runs).map(
      (name) => `${name} ${of(name, "wall").toFixed(2)} s (processor ${of(name, "processor").toFixed(2)} s)`,
    );
    console.log(`${model} (${statSync(model).size} bytes): ${sizes(output)}; first tags: ${said.join(", ")}`);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
