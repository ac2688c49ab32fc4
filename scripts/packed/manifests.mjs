// What every published package must say of itself and hold.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./pack.mjs";

/** Files of which at least one tarball must have more than code. */
const needed = {
  "@nasty/model-en": [
    "licences/CC-BY-SA-4.0.txt",
    "licences/ATTRIBUTION.md",
    "models/pos-en-int8.onnx",
    "sample/sample-en.conllu",
  ],
  "@nasty/model-en-float32": [
    "licences/CC-BY-SA-4.0.txt",
    "licences/ATTRIBUTION.md",
    "models/pos-en.onnx.br",
  ],
  "@nasty/portable": ["dist/kernels.wasm"],
  "@nasty/workflow": ["neural", "sequence", "transformer"].map((kind) => `dist/tagger-module/${kind}.js`),
};

/** Texts that a licence or attribution file must hold, lest an empty one pass. */
const phrases = {
  "licences/CC-BY-SA-4.0.txt": ["Attribution-ShareAlike 4.0 International", "Section 8"],
  "licences/ATTRIBUTION.md": ["UD English-EWT", "UNER English-EWT", "Broad Twitter Corpus", "WNUT-17"],
};

/** @throws Error naming the package, what is missing and where */
export function checkPackage({ folder, manifest, file }) {
  const wrong = (what, got) => new Error(`${manifest.name}: ${what}, got ${JSON.stringify(got)}`);
  const place = folder.slice(root.length).replaceAll("\\", "/").replace(/^\//, "");
  const { homepage, bugs, author, keywords, license, repository, publishConfig, description } = manifest;
  const repositoryPage = repository.url.replace(/^git\+/, "").replace(/\.git$/, "");
  if (homepage !== `${repositoryPage}/tree/main/${place}#readme`)
    throw wrong("homepage: expected its folder", homepage);
  if (bugs?.url !== `${repositoryPage}/issues`) throw wrong("bugs: expected the repository's issues", bugs);
  if (!readFileSync(join(root, "LICENSE"), "utf8").includes(author)) {
    throw wrong("author: expected the one that LICENSE names", author);
  }
  if (!(keywords?.length >= 4)) throw wrong("keywords: expected at least four", keywords);
  if (publishConfig?.provenance !== true)
    throw wrong("publishConfig.provenance: expected true", publishConfig);
  if (!description || !license)
    throw wrong("description and license: expected both", { description, license });

  const listed = run("tar", ["tzf", file], { cwd: root }).stdout.trim().split("\n");
  const files = new Set(listed.map((name) => name.replace(/^package\//, "")));
  const unwanted = [...files].filter((name) =>
    /\.tsbuildinfo$|(?:^|\/)(?:test|bench|node_modules)\//.test(name),
  );
  if (unwanted.length > 0) throw wrong("tarball: expected only what is needed to use it", unwanted);
  for (const name of ["LICENSE", "README.md", "package.json", ...(needed[manifest.name] ?? [])]) {
    if (!files.has(name)) throw wrong(`tarball: expected ${name}`, [...files]);
    const text = phrases[name] && readFileSync(join(folder, name), "utf8");
    for (const phrase of phrases[name] ?? []) {
      if (!text.includes(phrase)) throw wrong(`${name}: expected "${phrase}"`, text.slice(0, 200));
    }
  }
}
