// Memory and time of `nasty tag` on long inputs of odd shapes: one line of JSON, words without a stop, brackets,
// dashes, digits, prose. Prints a line an input: name, bytes, seconds, most resident memory in MB. Fails where one
// takes more than --limit MB (default: 400).
//   node scripts/long-inputs.mjs [--megabytes 10] [--limit 400] [--model MODEL] [NAME...]
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  options: {
    megabytes: { type: "string" },
    limit: { type: "string", default: "400" },
    model: { type: "string" },
  },
  allowPositionals: true,
});
const sentence = "The committee met in Paris on Monday, and nobody knew what Ada's 23 letters had said. ";
const record = (i) => `{"id":${i},"name":"item${i}","price":${i * 1.5},"tags":["a","b"],"ok":true},`;
const repeat = (unit, bytes) => unit.repeat(Math.ceil(bytes / unit.length));
/** What each input is made of, and how many bytes it has where no size is given. */
const inputs = {
  json: [(bytes) => `[${Array.from({ length: bytes / 60 }, (_, i) => record(i)).join("")}]`, 250_000],
  words: [(bytes) => repeat("word ", bytes), 500_000],
  brackets: [(bytes) => repeat("(", bytes), 200_000],
  dashes: [(bytes) => repeat("-", bytes), 400_000],
  digits: [(bytes) => repeat("7", bytes), 400_000],
  letters: [
    (bytes) => Array.from({ length: bytes }, (_, i) => "etaoinshrdlu"[(i * i + (i >> 5) * 7) % 12]).join(""),
    400_000,
  ],
  lines: [(bytes) => repeat(`${sentence.trim()}\n`, bytes), 1_000_000],
  prose: [(bytes) => repeat(sentence, bytes), 1_000_000],
  paragraphs: [(bytes) => repeat(`${sentence}\n\n`, bytes), 1_000_000],
  columns: [(bytes) => repeat("word\tNOUN\n", bytes), 1_000_000],
};

const binary = fileURLToPath(new URL("../apps/cli/bin/nasty.js", import.meta.url));
// The process reports its own greatest resident size as it ends.
const report = `data:text/javascript,process.on("exit",()=>process.stderr.write("maxrss "+process.resourceUsage().maxRSS+"\\n"))`;
const folder = mkdtempSync(join(tmpdir(), "nasty-long-"));
let failed = false;
try {
  for (const name of positionals.length > 0 ? positionals : Object.keys(inputs)) {
    const [make, bytes] = inputs[name];
    const text = make(values.megabytes === undefined ? bytes : Number(values.megabytes) * 1e6);
    const path = join(folder, `${name}.txt`);
    writeFileSync(path, text);
    const start = performance.now();
    const { code, stderr } = await tag(path);
    const seconds = (performance.now() - start) / 1000;
    const megabytes = (Number(/^maxrss (\d+)$/m.exec(stderr)?.[1]) * 1024) / 1e6;
    if (code !== 0 || !(megabytes <= Number(values.limit))) failed = true;
    process.stdout.write(
      `${name}, ${text.length} bytes, ${seconds.toFixed(1)} s, ${megabytes.toFixed(0)} MB${code === 0 ? "" : `, exit ${code}: ${stderr}`}\n`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
process.exitCode = failed ? 1 : 0;

function tag(path) {
  const model = values.model === undefined ? [] : ["--model", values.model];
  const child = spawn(
    process.execPath,
    ["--import", report, binary, "tag", path, ...model, "--format", "json"],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  let stderr = "";
  child.stderr.on("data", (chunk) => (stderr += chunk));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stderr })));
}
