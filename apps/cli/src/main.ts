import { CommanderError } from "commander";
import { exitCodes, explain, type Explanation, toJson } from "@nasty/workflow/command";
import { buildProgram } from "./program.js";
import { hasResult } from "./terminal/console.js";

const argv = process.argv.slice(2);

/** Runs the command line; results are on standard output, the exit code says how it ended. */
async function main(): Promise<number> {
  try {
    await buildProgram(argv).parseAsync([...argv], { from: "user" });
    return exitCodes.done;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version end with code 0.
      if (error.exitCode === 0) return exitCodes.done;
      // The parser has already said on standard error what is wrong.
      const message = error.message.replace(/^error: /, "").replace(/\s+/g, " ");
      printDocument({ code: exitCodes.usage, message, details: { code: "usage" } });
      return exitCodes.usage;
    }
    return report(error);
  }
}

/** Says what went wrong: a line on standard error, and with `--json` a document. */
function report(error: unknown): number {
  const explanation = explain(error);
  process.stderr.write(`nasty: ${explanation.message}\n`);
  if (isGiven("--debug") && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  printDocument(explanation);
  return explanation.code;
}

/**
 * The error as the one document of `--json`, unless a result is there already: the figures of a gate that refused a
 * model.
 */
function printDocument({ code: exitCode, message, details }: Explanation): void {
  if (!isGiven("--json") || hasResult()) return;
  process.stdout.write(`${toJson({ error: { ...details, code: details.code, message, exitCode } })}\n`);
}

/** The parser may have failed before it knew the options. */
function isGiven(flag: string): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end < 0 ? argv.length : end).includes(flag);
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A reader that closes early (`nasty tag … | head`) has what it wanted.
  if (error.code === "EPIPE") process.exit(exitCodes.done);
  const { code, message } = explain(Object.assign(error, { path: "standard output" }));
  process.stderr.write(`nasty: ${message}\n`);
  process.exit(code);
});

// Nobody can be told that telling failed, and the results are elsewhere.
process.stderr.on("error", () => undefined);

// What libraries throw where nothing of ours waits for it.
process.on("uncaughtException", (error) => process.exit(report(error)));

process.exitCode = await main();
