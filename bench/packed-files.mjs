// Small files that unpack to gigabytes, or decode to many times their size: memory, time and message of each command
// that reads them.
//
//   node bench/packed-files.mjs [--nasty PATH/TO/nasty.js] [--only NAME]
//
// The files are made in a temporary folder. Memory is the largest resident set of the process, by GNU time
// (/usr/bin/time -v).
import { spawnSync } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { constants, createBrotliCompress, createGzip, gzipSync } from "node:zlib";

const { values: options } = parseArgs({ options: { nasty: { type: "string" }, only: { type: "string" } } });
const nasty = options.nasty ?? fileURLToPath(new URL("../apps/cli/bin/nasty.js", import.meta.url));

/** The tag and length of a length-delimited field. */
function head(field, length) {
  const bytes = [];
  for (let rest of [field * 8 + 2, length]) {
    for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
    bytes.push(rest);
  }
  return Buffer.from(bytes);
}

/** `unit`, `count` times, inside the fields of `path`, outermost first: pieces to be written one after the other. */
function* nested(path, unit, count) {
  let size = unit.length * count;
  const heads = [];
  for (const field of path.toReversed()) {
    heads.unshift(head(field, size));
    size += heads[0].length;
  }
  yield Buffer.concat(heads);
  const each = Math.min(count, Math.max(1, Math.floor(2 ** 20 / unit.length)));
  const piece = Buffer.concat(Array(each).fill(unit));
  for (let left = count; left > 0; left -= each) yield piece.subarray(0, Math.min(left, each) * unit.length);
}

function* inModel(parts) {
  yield Buffer.from([8, 8]);
  yield* parts;
}

const empty = (field) => head(field, 0);
const block = (field, ...parts) => Buffer.concat([head(field, Buffer.concat(parts).length), ...parts]);
const zero = Buffer.from([0]);
const graph = 7;
const node = [graph, 1];
const attribute = [graph, 1, 5];
const tensor = [graph, 5];

/**
 * Initializer of `bytes` float32 zeros with a graph around it that passes x on: a whole model, of weights that are
 * zero.
 */
function* zeroWeights(bytes) {
  const dims = Buffer.concat([Buffer.from([8]), head(0, bytes / 4).subarray(1)]);
  const front = Buffer.concat([dims, Buffer.from([16, 1]), block(8, Buffer.from("W"))]);
  const type = block(2, block(1, Buffer.from([8, 1]), block(2, block(1, Buffer.from([8, 1])))));
  const value = (name) => Buffer.concat([block(1, Buffer.from(name)), type]);
  const rest = Buffer.concat([
    block(
      1,
      block(1, Buffer.from("x")),
      block(1, Buffer.from("W")),
      block(2, Buffer.from("y")),
      block(4, Buffer.from("Add")),
    ),
    block(2, Buffer.from("zeros")),
    block(11, value("x")),
    block(12, value("y")),
  ]);
  const raw = head(9, bytes);
  const weight = head(5, front.length + raw.length + bytes);
  const inside = rest.length + weight.length + front.length + raw.length + bytes;
  yield Buffer.concat([block(8, Buffer.from([16, 17])), head(graph, inside), rest, weight, front, raw]);
  const piece = Buffer.alloc(2 ** 20);
  for (let left = bytes; left > 0; left -= piece.length)
    yield piece.subarray(0, Math.min(left, piece.length));
}

/** So many nodes, each with another name for its output. */
function chain(count) {
  const name = (index) => Buffer.from(index.toString(36));
  const nodes = Array.from({ length: count }, (_, index) =>
    block(
      1,
      ...(index === 0 ? [] : [block(1, name(index - 1))]),
      block(2, name(index)),
      block(4, Buffer.from("Abs")),
    ),
  );
  return Buffer.concat(nodes);
}

const packed = {
  "empty-nodes.onnx.gz": () => inModel(nested([graph], empty(1), 3_900_000)),
  "packed-int64.onnx.gz": () => inModel(nested([...tensor, 7], zero, 100_000_000)),
  "empty-input-names.onnx.gz": () => inModel(nested(node, empty(1), 50_000_000)),
  "zeros.onnx.br": () => nested([], zero, 2_100_000_000),
  "zeros.onnx.gz": () => nested([], zero, 2_100_000_000),
  "raw-data-2gb.onnx.br": () => inModel(zeroWeights(2_100_000_000)),
  "unknown-fields.onnx.gz": () => inModel(nested([graph], Buffer.from([0xa0, 6, 0]), 10_000_000)),
  "unknown-block.onnx.br": () => inModel(nested([100], zero, 2_000_000_000)),
  "attributes.onnx.gz": () => inModel(nested(node, empty(5), 5_000_000)),
  "attribute-ints.onnx.gz": () => inModel(nested([...attribute, 8], zero, 100_000_000)),
  "attribute-floats.onnx.gz": () => inModel(nested([...attribute, 7], Buffer.alloc(4), 50_000_000)),
  "attribute-strings.onnx.gz": () => inModel(nested(attribute, empty(9), 10_000_000)),
  "attribute-tensors.onnx.gz": () => inModel(nested(attribute, empty(10), 5_000_000)),
  "attribute-graphs.onnx.gz": () => inModel(nested(attribute, empty(11), 5_000_000)),
  "initializers.onnx.gz": () => inModel(nested([graph], empty(5), 5_000_000)),
  "sparse.onnx.gz": () => inModel(nested([graph], empty(15), 10_000_000)),
  "dims.onnx.gz": () => inModel(nested([...tensor, 1], zero, 100_000_000)),
  "value-info.onnx.gz": () => inModel(nested([graph], empty(13), 10_000_000)),
  "string-tensor.onnx.gz": () => inModel(nested(tensor, empty(6), 20_000_000)),
  "metadata.onnx.gz": () => inModel(nested([], empty(14), 10_000_000)),
  "functions.onnx.gz": () => inModel(nested([], Buffer.from([0xca, 1, 0]), 10_000_000)),
  "doc-string.onnx.gz": () => inModel(nested([graph, 10], Buffer.from("a"), 900_000_000)),
  "below-the-limit.onnx.gz": () => inModel(nested([graph], chain(110_000), 1)),
};

const honest = { "zero-weights-400mb.onnx.gz": () => zeroWeights(400_000_000) };

const commandsOf = (file) => [
  ["inspect", "--model", file],
  ["tag", "--model", file, "text.txt"],
  ["quantize", "--model", file, "--mode", "dynamic", "--output", "out.onnx"],
  ["quantize", "estimate", "--model", file],
  ["compress", "--model", file, "--output", "out.onnx.gz"],
];

const folder = mkdtempSync(join(tmpdir(), "nasty-packed-"));

async function write(name, chunks) {
  const pack = name.endsWith(".br")
    ? createBrotliCompress({
        params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_LGWIN]: 24 },
      })
    : createGzip({ level: 9 });
  await pipeline(Readable.from(chunks), pack, createWriteStream(join(folder, name)));
}

/** Runs a command and measures it: seconds, megabytes at most, exit code, and what it says. */
function measured(args) {
  const started = performance.now();
  const ended = spawnSync("/usr/bin/time", ["-v", process.execPath, nasty, ...args], {
    cwd: folder,
    encoding: "utf8",
    timeout: 300_000,
  });
  const seconds = (performance.now() - started) / 1000;
  const kilobytes = Number(/Maximum resident set size \(kbytes\): (\d+)/.exec(ended.stderr)?.[1]);
  const message = ended.stderr.split("\n").find((line) => /^(?:nasty|error): /.test(line)) ?? "";
  return { seconds, megabytes: (kilobytes * 1024) / 1e6, code: ended.status, message };
}

function show(name, args, { seconds, megabytes, code, message }) {
  const bytes = statSync(join(folder, name)).size;
  const command = args.slice(0, args[1] === "estimate" ? 2 : 1).join(" ");
  console.log(
    `| ${name} | ${bytes} | ${command} | ${megabytes.toFixed(0)} | ${seconds.toFixed(1)} | ${code} | ${message.slice(0, 220)} |`,
  );
}

/** Directories and files of other kinds, each with the commands that read it. */
function others() {
  const write = (name, content) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
    return name;
  };
  const bomb = (unit, bytes) => gzipSync(Buffer.alloc(bytes - (bytes % unit.length), unit), { level: 9 });
  const json = (unit, bytes) => Buffer.concat([gzipSync("["), bomb(`${unit},`, bytes), gzipSync("0]")]);
  const lists = write("lists/config.json", json("[]", 60_000_000));
  const long = write("long/config.json", bomb("a", 1_000_000_000));
  const levels = Array.from(
    { length: 30 },
    (_, i) =>
      `${String.fromCharCode(97 + (i % 26))}${i}: &l${i} [${Array(9)
        .fill(i === 0 ? "x" : `*l${i - 1}`)
        .join(", ")}]`,
  );
  const recipe = write("laughs.yaml", `${levels.join("\n")}\nmodel: default\nsteps: *l29\n`);
  const deep = write("deep.yaml", `model: default\nsteps: ${"[".repeat(100_000)}\n`);
  const wide = write("wide.yaml.gz", bomb("- a\n", 400_000_000));
  write("tfjs/model.json", `[${"[],".repeat(20_000_000)}0]`);
  return [
    [lists, ["inspect", "--model", "lists"]],
    [long, ["tag", "--model", "long", "text.txt"]],
    [recipe, ["pipeline", recipe]],
    [deep, ["pipeline", deep]],
    [wide, ["pipeline", wide]],
    ["tfjs/model.json", ["import", "--from", "tfjs", "tfjs", "--output", "out.onnx"]],
  ];
}

/** The default model with a vocabulary of so many empty words. */
async function vocabulary(name, bytes) {
  const { readModelFile, writeModelFile } = await import("../packages/formats/dist/onnx/node.js");
  const { withMetadata } = await import("../packages/formats/dist/onnx/index.js");
  const { posFloat32 } = await import("../packages/model-en-float32/dist/index.js");
  const words = gzipSync(Buffer.alloc(bytes, "\n"), { level: 9 }).toString("base64");
  await writeModelFile(
    join(folder, name),
    withMetadata(await readModelFile(fileURLToPath(posFloat32)), { "nasty.vocabulary": words }),
  );
}

try {
  writeFileSync(join(folder, "text.txt"), "Time flies like an arrow.\n");
  console.log("| file | bytes | command | MB | s | exit | message |\n|---|---|---|---|---|---|---|");
  const asked = (name) => options.only === undefined || name.includes(options.only);
  for (const [name, chunks] of Object.entries({ ...packed, ...honest })) {
    if (!asked(name)) continue;
    await write(name, chunks());
    // The first files run through every command: they all read a model the same way.
    const all = Object.keys(packed).indexOf(name) < 4;
    for (const args of commandsOf(name).slice(0, all ? undefined : 1)) show(name, args, measured(args));
    rmSync(join(folder, name));
  }
  if (asked("vocabulary.onnx")) {
    await vocabulary("vocabulary.onnx", 60_000_000);
    for (const args of commandsOf("vocabulary.onnx")) show("vocabulary.onnx", args, measured(args));
  }
  for (const [name, args] of others()) if (asked(name)) show(name, args, measured(args));
  console.log(`| nothing | 0 | --help | ${measured(["--help"]).megabytes.toFixed(0)} | | | |`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
