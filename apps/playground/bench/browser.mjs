// What the browser does, in Chromium (/usr/bin/chromium, or CHROMIUM):
//   node apps/playground/bench/browser.mjs labels TEST.conllu    the same labels as Node's, word by word
//   node apps/playground/bench/browser.mjs start [RUNS]          from opening the Tag page to the first tags
//   node apps/playground/bench/browser.mjs large [MEGABYTES]     a large model through the Quantize page: memory, freezes
//   node apps/playground/bench/browser.mjs pictures FOLDER [REPORT.html]   pictures for the documentation
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { build, preview } from "vite";
import { readConlluFile } from "@nasty/formats/conllu/node";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  serializeModel,
} from "@nasty/formats/onnx";
import { posInt8 } from "@nasty/model-en";
import { labelledWords } from "@nasty/taggers";
import { openTagger } from "@nasty/taggers/node";

const here = import.meta.dirname;
const [what, ...rest] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "nasty-browser-"));
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });

/** Builds and serves a page of this app. */
async function serve(root) {
  const outDir = join(folder, "site");
  const shared = { configFile: join(here, "../vite.config.ts"), root, logLevel: "error" };
  await build({ ...shared, build: { outDir, emptyOutDir: true } });
  const server = await preview({ ...shared, build: { outDir }, preview: { port: 0 } });
  return { address: server.resolvedUrls.local[0], close: () => server.close() };
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

async function labels(path) {
  const sentences = [];
  for await (const { words } of labelledWords(readConlluFile(path))) sentences.push(words);
  const site = await serve(join(here, "labels"));
  const page = await browser.newPage();
  await page.goto(site.address);
  await page.waitForFunction("globalThis.labelsOf !== undefined");
  const { all, milliseconds } = await page.evaluate((given) => globalThis.labelsOf(given), sentences);
  await site.close();
  const count = all.flat().length;
  console.log(`Chromium: ${count} words, ${Math.round((1000 * count) / milliseconds)} words/s`);
  for (const engine of ["wasm", "native"]) {
    const tagger = await openTagger(fileURLToPath(posInt8), { engine });
    let [differ, at] = [0, 0];
    for await (const row of tagger.tag(sentences)) {
      differ += row.filter((label, word) => label !== all[at][word]).length;
      at++;
    }
    await tagger.close();
    console.log(`Node, ${engine}: ${differ} of ${count} labels differ`);
  }
}

async function start(runs = "7") {
  const site = await serve(join(here, ".."));
  const context = await browser.newContext();
  const times = [];
  // The first run fills the browser's cache with the runtime and the models.
  for (let run = 0; run <= Number(runs); run++) {
    const page = await context.newPage();
    const begin = performance.now();
    await page.goto(site.address);
    await page.waitForSelector("#tagged");
    times.push(performance.now() - begin);
    await page.close();
  }
  await site.close();
  const [first, ...later] = times;
  console.log(
    `first visit ${first.toFixed(0)} ms, later visits ${median(later).toFixed(0)} ms (median of ${runs})`,
  );
}

/** A chain of products of float32 weights, `megabytes` in all; seeded, so that every run has the same file. */
function chain(megabytes) {
  const width = 1000;
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    // Values keep their size from product to product.
    return ((state / 2 ** 32 - 0.5) * Math.sqrt(12)) / Math.sqrt(width);
  };
  const initializers = Array.from({ length: Math.round(megabytes / 4) }, (_, i) =>
    makeTensor(`W${i}`, "float32", {
      shape: [width, width],
      values: Float32Array.from({ length: width * width }, next),
    }),
  );
  const nodes = initializers.map((_, i) => makeNode("MatMul", [`x${i}`, `W${i}`], [`x${i + 1}`]));
  const value = (name) => makeValueInfo(name, "float32", [1, width]);
  const graph = { nodes, initializers, inputs: [value("x0")], outputs: [value(`x${nodes.length}`)] };
  return serializeModel(makeModel(makeGraph("chain", graph)));
}

/** Bytes that the processes of the browser hold for themselves now. */
function privateBytes() {
  let sum = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(executablePath.split("/").at(-1))) continue;
      const memory = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
      for (const [, kilobytes] of memory.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB/gm))
        sum += 1024 * Number(kilobytes);
    } catch {
      // It ended meanwhile.
    }
  }
  return sum;
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;

async function large(size = "100") {
  const file = join(folder, "large.onnx");
  writeFileSync(file, chain(Number(size)));
  const site = await serve(join(here, ".."));
  for (const mode of ["dynamic", "int4"]) {
    const page = await browser.newPage();
    await page.goto(`${site.address}#page=quantize&mode=${mode}`);
    await page.waitForSelector("#quantize");
    const before = privateBytes();
    let peak = before;
    const sampling = setInterval(() => (peak = Math.max(peak, privateBytes())), 50);
    await page.evaluate(`{
      let last = performance.now();
      globalThis.longest = 0;
      const frame = () => {
        const now = performance.now();
        globalThis.longest = Math.max(globalThis.longest, now - last);
        last = now;
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    }`);
    const begin = performance.now();
    await page.setInputFiles("#file", file);
    await page.locator("#inspected h2").waitFor({ timeout: 300_000 });
    await page.click("#quantize");
    await page.locator("#download").waitFor({ timeout: 300_000 });
    const seconds = (performance.now() - begin) / 1000;
    clearInterval(sampling);
    const longest = await page.evaluate("globalThis.longest");
    console.log(
      `${mode}: ${megabytes(statSync(file).size)} in ${seconds.toFixed(1)} s, memory over the empty page ${megabytes(peak - before)}, longest time between two frames ${longest.toFixed(0)} ms`,
    );
    await page.close();
  }
  await site.close();
}

async function pictures(into, report) {
  const site = await serve(join(here, ".."));
  const shoot = async (name, hash, prepare, options = { viewport: { width: 960, height: 700 } }) => {
    const page = await browser.newPage(options);
    await page.goto(site.address + hash);
    await prepare(page);
    await page.screenshot({ path: join(into, `playground-${name}.png`), fullPage: true });
    await page.close();
  };
  const measured = (page) => page.locator("[role=status]", { hasText: "words/s" }).waitFor();
  const compared = async (page) => {
    await page.waitForSelector("#tagged");
    await page.check("#compare");
    await page.locator("[role=status]", { hasText: /float32.*words\/s/ }).waitFor();
  };
  await shoot("tag", "", compared);
  await shoot("phone", "", measured, { viewport: { width: 390, height: 700 }, colorScheme: "dark" });
  await shoot("quantize", "#page=quantize", async (page) => {
    await page.click("#ready");
    await page.locator("#inspected h2").waitFor();
    await page.click("text=Use the English sample");
    while ((await page.inputValue("#calibration")) === "") await page.waitForTimeout(50);
    await page.click("#quantize");
    await page.locator("#download").waitFor();
  });
  await site.close();
  if (report === undefined) return;
  const page = await browser.newPage({ viewport: { width: 960, height: 1150 } });
  await page.goto(pathToFileURL(report).href);
  await page.screenshot({ path: join(into, "report.png") });
  await page.close();
}

const commands = { labels, start, large, pictures };
const command = Object.hasOwn(commands, what ?? "") ? commands[what] : undefined;
if (command === undefined || (/labels|pictures/.test(what) && rest.length === 0))
  console.error(
    "usage: node apps/playground/bench/browser.mjs labels TEST.conllu | start [RUNS] | large [MEGABYTES] | pictures FOLDER [REPORT.html]",
  );
else await command(...rest);
await browser.close();
rmSync(folder, { recursive: true, force: true });
