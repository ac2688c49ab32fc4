// The code of exported modules, one file for each kind of tagger: dist/tagger-module/KIND.js. Run by the build, because
// those who export have no bundler. What a module carries, `nastyTagger`, is put behind it.
import { build } from "esbuild";

const kinds = ["neural", "sequence", "transformer"];

const { warnings } = await build({
  entryPoints: kinds.map((kind) => `dist/exporting/module/inside/${kind}.js`),
  outdir: "dist/tagger-module",
  bundle: true,
  minify: true,
  format: "esm",
  // Neither a browser's names nor Node's: it runs on both.
  platform: "neutral",
  mainFields: ["module", "main"],
  target: "es2022",
  legalComments: "inline",
  logLevel: "warning",
});
if (warnings.length > 0) process.exit(1);
