// Puts what a package runs under Node into few files, `dist/bundle/`: one of each entry of its exports, and beside them
// what they share. To find and read some four hundred modules took more time than a first tag.
//   node ../../scripts/bundle.mjs [MODULE…]      in a package's folder, after tsc; the exports' `node` is what is made
// Pages are made of the modules themselves, of which a bundler takes what is used. Other packages of the project stay
// imports, so that each is there once; small libraries become part of the files, with their licences beside them.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { build } from "esbuild";
import { licencesOf } from "./licences.mjs";

/** Libraries of which little is used, and of which a second copy does no harm. */
const inlined = /^(@bufbuild\/protobuf|@huggingface\/tokenizers|valibot|re2js|glob-to-regex\.js|tslib)(\/|$)/;

const { exports = {} } = JSON.parse(readFileSync("package.json", "utf8"));
const folder = "dist/bundle";
/** `dist/conllu/node.js` is `dist/bundle/conllu-node.js`: all in one folder, so that a place is found from any file. */
const nameOf = (path) => path.slice("dist/".length).replaceAll("/", "-").replace(/\.js$/, "");
const sources = [
  ...Object.values(exports).flatMap((target) => (target.node === undefined ? [] : [target.default])),
  ...process.argv.slice(2),
].map((path) => path.replace(/^\.\//, ""));

for (const { node, default: path } of Object.values(exports))
  if (node !== undefined && node !== `./${folder}/${nameOf(path.replace(/^\.\//, ""))}.js`)
    throw new Error(
      `package.json: exports: node: expected ${folder}/${nameOf(path.slice(2))}.js, got ${node}`,
    );

/** What a module says of its own place is that of the file it was compiled to. */
const places = {
  name: "places",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]dist[\\/].*\.js$/ }, ({ path }) => {
      if (path.includes("node_modules")) return undefined;
      const code = readFileSync(path, "utf8");
      if (!code.includes("import.meta.url")) return undefined;
      const place = JSON.stringify(relative(folder, path).replaceAll("\\", "/"));
      return {
        contents: code.replaceAll("import.meta.url", `new URL(${place}, import.meta.url).href`),
        loader: "js",
      };
    });
  },
};

rmSync(folder, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: Object.fromEntries(sources.map((path) => [nameOf(path), path])),
  outdir: folder,
  chunkNames: "shared-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2023",
  // Half of the time of a start is V8 looking over code; names stay, and lines, for traces of the stack.
  minifyWhitespace: true,
  lineLimit: 120,
  platform: "node",
  conditions: ["module"],
  metafile: true,
  logLevel: "warning",
  plugins: [
    places,
    {
      name: "libraries",
      setup({ onResolve }) {
        onResolve({ filter: /^[^.]/ }, ({ path, kind }) =>
          kind === "entry-point" || path.startsWith("/") || inlined.test(path)
            ? undefined
            : { path, external: true },
        );
      },
    },
  ],
});

const licences = licencesOf(Object.keys(metafile.inputs));
if (licences.length > 0) writeFileSync(join(folder, "LICENCES.txt"), `${licences.join("\n\n----\n\n")}\n`);
