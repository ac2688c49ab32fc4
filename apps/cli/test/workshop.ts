import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { columns, conllu } from "./tiny-corpus.js";
import { writeTinyDirectory } from "./tiny-tagger.js";

const binary = fileURLToPath(new URL("../bin/nasty.js", import.meta.url));

/** A JSON document; tests name the keys they rely on. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any;

/** How a run of the command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

/** A folder with tiny models and corpora in it, and the command run there. */
export interface Workshop {
  readonly folder: string;
  path(...parts: string[]): string;
  /** Runs the built binary as a process of its own. */
  nasty(args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** Runs with `--json`; the run must succeed, with one document and nothing else on standard output. */

  json(args: readonly string[], options?: RunOptions): Promise<Json>;
  /** Runs what must fail: the exit code, nothing on standard output, one line of message, no file made or changed. */
  refused(code: number, args: readonly string[], options?: RunOptions): Promise<string>;
  write(name: string, content: string | Uint8Array): Promise<string>;
  bytes(name: string): Promise<Buffer>;
  remove(): Promise<void>;
}

/** Makes `pos/` and `ner/` (Hugging Face directories), `test.conllu` and `test.iob2` in a new temporary folder. */
export async function openWorkshop(): Promise<Workshop> {
  const folder = await mkdtemp(join(tmpdir(), "nasty-cli-test-"));
  const path = (...parts: string[]): string => join(folder, ...parts);
  const write = async (name: string, content: string | Uint8Array): Promise<string> => {
    await writeFile(path(name), content);
    return name;
  };
  const nasty = (args: readonly string[], options: RunOptions = {}): Promise<Ended> =>
    runBinary(folder, args, options);
  await writeTinyDirectory(path("pos"));
  await writeTinyDirectory(path("ner"), { task: "ner" });
  await write("test.conllu", conllu());
  await write("test.iob2", columns());
  return {
    folder,
    path,
    write,
    nasty,
    async json(args, options) {
      const { code, stdout, stderr } = await nasty([...args, "--json"], options);
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout);
    },
    async refused(code, args, options) {
      const before = await snapshot(folder);
      const ended = await nasty(args, options);
      expect(ended.stderr).not.toContain("this is a bug");
      expect({ code: ended.code, stdout: ended.stdout }, ended.stderr).toEqual({ code, stdout: "" });
      expect(await snapshot(folder)).toEqual(before);
      const messages = ended.stderr.split("\n").filter((line) => /^(?:nasty|error): /.test(line));
      expect(messages, ended.stderr).toHaveLength(1);
      return messages[0] as string;
    },
    bytes: (name) => readFile(path(name)),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Every file below a folder with its content, hidden ones included. */
async function snapshot(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.map(async (entry): Promise<[string, string]> => {
    const path = join(entry.parentPath, entry.name);
    return [path, entry.isFile() ? (await readFile(path)).toString("base64") : "folder"];
  });
  return Object.fromEntries(await Promise.all(files));
}

/** Starts the binary; for tests that talk to it while it runs. */
export function startBinary(folder: string, args: readonly string[], env: RunOptions["env"] = {}) {
  return spawn(process.execPath, [binary, ...args], { cwd: folder, env: { ...process.env, ...env } });
}

function runBinary(folder: string, args: readonly string[], { input, env }: RunOptions): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = startBinary(folder, args, env);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", reject);
    child.on("close", (code) =>
      resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }),
    );
    // A command that fails before it reads closes its end.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input ?? "");
  });
}
