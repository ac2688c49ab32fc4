import { chmod, mkdir, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { makeTemporaryFolder, type WrittenFile, writeFileAtomic } from "@nasty/formats/archive/node";
import { readModelFile } from "@nasty/formats/onnx/node";
import type { TaggerSettings } from "@nasty/taggers";
import { labellingOfSettings, type Task } from "@nasty/taggers";
import { findTagger, type FoundTagger, openFound } from "@nasty/taggers/node";
import type { ModelKindName } from "@nasty/taggers/texts";
import { InputError, UsageError } from "../../errors.js";
import { checkFolder, checkWritable } from "../../files/output-path.js";
import { checkSeparate } from "../../files/separate-paths.js";
import { ownKind } from "../../kinds/find-kind.js";
import { loadModel, reasonOf } from "../../models/load-model.js";
import type { exportOperation } from "../../operations/files.js";
import type { Reporter } from "../../reporter.js";
import type { SettingsOf } from "../../schema/option.js";
import { choiceOf } from "../../texts/label-choice.js";
import { checkModule, type ModuleCheck } from "./check-module.js";
import { declarationsOf } from "./declarations.js";
import { moduleSource } from "./module-source.js";
import { type PackedTagger, packTagger } from "./packed-tagger.js";

type ExportSettings = SettingsOf<typeof exportOperation.options>;

/** An ES module that was written. */
export interface ModuleExport {
  readonly kind: "module";
  /** The model as it was named. */
  readonly models: readonly string[];
  readonly output: {
    /** Of the module, absolute. */
    readonly path: string;
    /** Of all files that were written. */
    readonly bytes: number;
    /** By their names: the module, its declarations, the kernels for hosts that may not compile. */
    readonly files: Readonly<Record<string, WrittenFile>>;
  };
  readonly task: Task;
  readonly labels: readonly string[];
  /** How much text the written module labelled as its model does; anything else is an error. */
  readonly checked: ModuleCheck;
  /** Of the module. */
  readonly path: string;
  readonly bytes: number;
  readonly passed: true;
}

/** The text of a module is one string, and engines have strings of up to 2^29 units. */
const mostPackedBytes = 256e6;

const endings = /\.(m?)js$/;

/** {@link exportModel} for the target `module`, from checked settings. */
export async function runModuleExport(
  settings: ExportSettings,
  { progress, signal }: Reporter,
): Promise<ModuleExport> {
  const [model, ...others] = settings.model;
  checkOptions(settings, others.length);
  const output = resolve(settings.output);
  const files = filesOf(output);
  for (const path of files.paths) await checkPlace(path, settings.model);

  progress.start("reading the model");
  const found = await taggerOf(model as string, settings);
  const { settings: tagger } = found;
  progress.start("opening it on the portable engine");
  const { tagger: source } = await openFound(found, { engine: "portable" });
  // The folders that had to be made, which go again where nothing is put there.
  let made = await mkdir(dirname(output), { recursive: true });
  const staged = await makeTemporaryFolder(output);
  try {
    signal?.throwIfAborted();
    progress.start("writing and running the module");
    const packed = packTagger(found.model, tagger);
    checkSize(model as string, packed);
    const written: Record<string, WrittenFile> = {};
    for (const [name, content] of contentsOf(tagger, packed, files)) {
      written[name] = await writeFileAtomic(join(staged.path, name), content);
      signal?.throwIfAborted();
    }
    const checked = await checkModule(join(staged.path, files.module), {
      tagger: source,
      name: output,
      signal,
    });
    signal?.throwIfAborted();
    progress.stop();
    // The module last: what it is used with lies there by then.
    for (const path of files.paths) await putInPlace(join(staged.path, basename(path)), path);
    made = undefined;
    const bytes = Object.values(written).reduce((sum, file) => sum + file.bytes, 0);
    return {
      kind: "module",
      models: settings.model,
      output: { path: output, bytes, files: written },
      task: labellingOfSettings(tagger).task,
      labels: tagger.labels,
      checked,
      path: output,
      bytes: (written[files.module] as WrittenFile).bytes,
      passed: true,
    };
  } finally {
    await staged.remove();
    if (made !== undefined) await rm(made, { recursive: true, force: true });
    await source.close();
  }
}

/** Refuses options that only a directory has. */
function checkOptions({ output, modelType, minCosine }: ExportSettings, others: number): void {
  const wrong = (what: string): UsageError => new UsageError(`export: --target module: ${what}`);
  if (others > 0) throw wrong(`--model: expected one model, got ${others + 1}; write a module of each`);
  if (modelType !== undefined)
    throw wrong("--model-type: expected none, a module has no family; leave it out");
  if (minCosine !== undefined)
    throw wrong("--min-cosine: expected none, a module must label as its model does; leave it out");
  if (!endings.test(output))
    throw wrong(`--output: expected a file that ends in .js or .mjs, got ${output}; name the module's file`);
}

/** Refuses a place that cannot be written, or that is one of the model's files. */
async function checkPlace(path: string, models: readonly string[]): Promise<void> {
  await checkSeparate("export", { "--output": path }, models);
  const folder = dirname(path);
  const isThere = (await stat(folder).catch(() => undefined)) !== undefined;
  await (isThere ? checkWritable("export: --output", path) : checkFolder("export: --output", folder));
}

interface ModuleFiles {
  /** Names in the folder. */
  readonly kernels: string;
  readonly declarations: string;
  readonly module: string;
  /** Absolute, in the order in which they take their places. */
  readonly paths: readonly string[];
}

function filesOf(output: string): ModuleFiles {
  const module = basename(output);
  const kernels = module.replace(endings, ".wasm");
  const declarations = module.replace(endings, ".d.$1ts");
  return {
    kernels,
    declarations,
    module,
    paths: [kernels, declarations, module].map((name) => join(dirname(output), name)),
  };
}

/** A tagger with its model, which is read once. */
async function taggerOf(
  path: string,
  settings: ExportSettings,
): Promise<FoundTagger & Required<Pick<FoundTagger, "model">>> {
  const { dtype } = settings;
  if (dtype !== undefined) {
    const found = await findTagger(path, { ...choiceOf(settings), variant: dtype });
    if (found.modelPath === path)
      throw new UsageError(
        `export: --target module: --dtype ${dtype}: expected a Hugging Face directory with several variants, got the file ${path}; leave it out`,
      );
    return { ...found, model: await readModelFile(found.modelPath) };
  }
  const loaded = await loadModel(path, choiceOf(settings));
  const { model, modelPath, tagger, text, notes } = loaded;
  if (tagger !== undefined) return { modelPath, settings: tagger, model, notes };
  const { name } = ownKind({ model, tagger, text });
  throw new InputError(
    `export: ${path}: --target module: expected a tagger of words, got ${kindNames[name]}${reasonOf(loaded)}; a module labels words and nothing else, so ship the model file itself`,
  );
}

const kindNames: Readonly<Record<ModelKindName, string>> = {
  graph: "a graph without labels and tokenizer",
  "token-classification": "a classifier of tokens that is no tagger",
  "sequence-classification": "a classifier of whole texts",
  "feature-extraction": "an encoder of whole texts",
};

function checkSize(path: string, { bytes }: PackedTagger): void {
  if (bytes.length <= mostPackedBytes) return;
  throw new InputError(
    `export: ${path}: size: expected a model of at most ${mostPackedBytes / 1e6} MB when packed, got ${Math.ceil(bytes.length / 1e6)} MB; a module is read as one text, so quantize the model or ship its file`,
  );
}

function contentsOf(
  settings: TaggerSettings,
  packed: PackedTagger,
  { kernels, declarations, module }: ModuleFiles,
): [string, Iterable<Uint8Array> | AsyncIterable<Uint8Array>][] {
  return [
    [kernels, [packed.kernels]],
    [declarations, [new TextEncoder().encode(declarationsOf(settings, { name: module, kernels }))]],
    [module, moduleSource(settings, packed, declarations)],
  ];
}

/** A file takes the place of what stands there, and its permissions. */
async function putInPlace(staged: string, path: string): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const existing = await stat(target).catch(() => undefined);
  if (existing !== undefined) await chmod(staged, existing.mode & 0o777);
  await rename(staged, target);
}
