// Builds a page against the packed packages with the bundlers that pages are built with: what must be carried is, and
// nothing else.
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./pack.mjs";

const page = `
import { openTagger } from "@nasty/taggers/web";
import { posInt8 } from "@nasty/model-en";

globalThis.open = (ort) => openTagger(posInt8, { ort });
`;

// esbuild leaves \`new URL(…, import.meta.url)\` as it is; there a model is imported as a file.
const pageOfFiles = page.replace(
  'import { posInt8 } from "@nasty/model-en"',
  'import posInt8 from "@nasty/model-en/models/pos-en-int8.onnx"',
);

const loaders = [".onnx=file", ".gz=file", ".br=file"].map((loader) => `--loader:${loader}`);

function built(folder) {
  return readdirSync(folder, { recursive: true })
    .map((name) => ({ name, bytes: statSync(join(folder, name)) }))
    .filter(({ bytes }) => bytes.isFile())
    .map(({ name, bytes }) => ({ name, bytes: bytes.size }));
}

function check(bundler, files) {
  const stray = files.filter(({ name, bytes }) => /wasm|onnxruntime/i.test(name) || bytes > 5e6);
  if (stray.length > 0)
    throw new Error(
      `${bundler}: files: expected no runtime beside the page's own, got ${JSON.stringify(stray)}`,
    );
  const code = files.filter(({ name }) => name.endsWith(".js")).reduce((sum, { bytes }) => sum + bytes, 0);
  // Not minified by esbuild, with all tokenizers and the decoder of brotli, of which a page loads what its model needs.
  if (!(code > 0 && code < 1.5e6))
    throw new Error(`${bundler}: code: expected up to 1.5 MB, got ${code} bytes`);
  const model = files.find(({ name }) => /pos-en-int8.*\.onnx$/.test(name));
  if (model === undefined) {
    throw new Error(
      `${bundler}: files: expected pos-en-int8.onnx, got ${files.map(({ name }) => name).join(", ")}`,
    );
  }
  process.stdout.write(
    `${bundler}: ${files.length} files, ${code} bytes of code, no runtime but the page's own\n`,
  );
}

/** Builds pages in a project that has the packages, vite and esbuild installed. */
export function checkBundles(project) {
  const source = join(project, "page");
  mkdirSync(source);
  writeFileSync(join(source, "index.html"), '<!doctype html><script type="module" src="./page.js"></script>');
  writeFileSync(join(source, "page.js"), page);
  writeFileSync(join(source, "files.js"), pageOfFiles);

  run("npx", ["--no-install", "vite", "build", "page", "--outDir", "../built-vite", "--logLevel", "error"], {
    cwd: project,
  });
  check("vite", built(join(project, "built-vite")));

  const esbuild = ["page/files.js", "--bundle", "--format=esm", "--outdir=built-esbuild", ...loaders];
  run("npx", ["--no-install", "esbuild", ...esbuild, "--log-level=warning"], { cwd: project });
  check("esbuild", built(join(project, "built-esbuild")));
}
