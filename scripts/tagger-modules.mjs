// The code of exported modules, one file for each kind of tagger: dist/tagger-module/KIND.js.
//   node ../../scripts/tagger-modules.mjs      in the folder of @nasty/workflow, after tsc
// It is part of the build, because those who export have no bundler. What a module carries, `nastyTagger`, is put
// behind it; the licences of what a file holds are at its end.
import { appendFileSync, readFileSync } from "node:fs";
import { build } from "esbuild";
import { licencesOf } from "./licences.mjs";

const own = readFileSync(new URL("../LICENSE", import.meta.url), "utf8").trim();

for (const kind of ["neural", "sequence", "transformer"]) {
  const outfile = `dist/tagger-module/${kind}.js`;
  const { warnings, metafile } = await build({
    entryPoints: [`dist/exporting/module/inside/${kind}.js`],
    outfile,
    bundle: true,
    minify: true,
    format: "esm",
    // Neither a browser's names nor Node's: it runs on both.
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2022",
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  if (warnings.length > 0) process.exit(1);
  const [output] = Object.values(metafile.outputs);
  const held = Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) =>
    bytesInOutput > 0 ? [path] : [],
  );
  const licences = [own, ...licencesOf(held)].join("\n\n----\n\n").replaceAll("*/", "* /");
  appendFileSync(outfile, `/*\n${licences}\n*/\n`);
}
