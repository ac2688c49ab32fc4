// Puts what a package runs under Node into few files, `dist/bundle/`: one of each entry of its exports, and beside them
// what they share. To find and read some four hundred modules took more time than a first tag.
//   node ../../scripts/bundle.mjs [MODULE…] [--together A,B]…
// In a package's folder, after tsc; the exports' `node` is what is made. Modules that are given are entries too. What
// the entries A and B import goes together into one file, where it would be cut by which other entries want a part of
// it. Pages are made of the modules themselves, of which a bundler takes what is used. Other packages of the project
// stay imports, so that each is there once; small libraries become part of the files, with their licences beside them.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { transform } from "esbuild";
import { rolldown } from "rolldown";
import { licencesOf } from "./licences.mjs";

/** Libraries of which little is used, and of which a second copy does no harm. */
const inlined = /^(@bufbuild\/protobuf|@huggingface\/tokenizers|valibot|re2js|glob-to-regex\.js|tslib)(\/|$)/;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { together: { type: "string", multiple: true, default: [] } },
});
const { exports = {} } = JSON.parse(readFileSync("package.json", "utf8"));
const folder = "dist/bundle";
/** `dist/conllu/node.js` is `dist/bundle/conllu-node.js`: all in one folder, so that a place is found from any file. */
const nameOf = (path) => path.slice("dist/".length).replaceAll("/", "-").replace(/\.js$/, "");
const sources = [
  ...Object.values(exports).flatMap((target) => (target.node === undefined ? [] : [target.default])),
  ...positionals,
].map((path) => path.replace(/^\.\//, ""));

for (const { node, default: path } of Object.values(exports))
  if (node !== undefined && node !== `./${folder}/${nameOf(path.replace(/^\.\//, ""))}.js`)
    throw new Error(
      `package.json: exports: node: expected ${folder}/${nameOf(path.slice(2))}.js, got ${node}`,
    );

/** What a module says of its own place is that of the file it was compiled to. */
const places = {
  name: "places",
  transform(code, id) {
    if (id.includes("node_modules") || !code.includes("import.meta.url")) return undefined;
    const place = JSON.stringify(relative(folder, id).replaceAll("\\", "/"));
    return code.replaceAll("import.meta.url", `new URL(${place}, import.meta.url).href`);
  },
};

/**
 * V8 looks over all code of a start, so white space goes; names stay, and lines, for who reads a trace of the stack.
 */
const compact = {
  name: "compact",
  renderChunk: async (code) =>
    (await transform(code, { minifyWhitespace: true, lineLimit: 120, target: "es2023" })).code,
};

rmSync(folder, { recursive: true, force: true });
const bundle = await rolldown({
  input: Object.fromEntries(sources.map((path) => [nameOf(path), path])),
  platform: "node",
  resolve: { conditionNames: ["module", "node", "import"] },
  external: (id, importer) => importer !== undefined && /^[^./]/.test(id) && !inlined.test(id),
  plugins: [places, compact],
});
const { output } = await bundle.write({
  dir: folder,
  format: "esm",
  entryFileNames: "[name].js",
  chunkFileNames: "shared-[name]-[hash].js",
  // It would print again what is compact.
  minify: false,
  codeSplitting: {
    groups: values.together.map((entries, index) => {
      const files = entries.split(",").map((path) => resolve(path));
      // A module of several groups belongs to the first.
      const priority = values.together.length - index;
      return { name: nameOf(entries.split(",")[0]), priority, test: (id) => files.includes(id) };
    }),
  },
});

const licences = licencesOf(output.flatMap(({ moduleIds = [] }) => moduleIds));
if (licences.length > 0) writeFileSync(join(folder, "LICENCES.txt"), `${licences.join("\n\n----\n\n")}\n`);
