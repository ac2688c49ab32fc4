import { CommanderError } from "commander";
import { exitCodes } from "./exit-codes.js";
import { explain } from "./explain.js";
import { endOnSignals } from "./interruption.js";
import { buildProgram } from "./program.js";

/** Runs the command line; results are on standard output, the exit code says how it ended. */
async function main(argv: readonly string[]): Promise<number> {
  try {
    await buildProgram().parseAsync([...argv], { from: "user" });
    return exitCodes.done;
  } catch (error) {
    // The parser has already said what is wrong; help and version end with code 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    const { code, message } = explain(error);
    process.stderr.write(`nasty: ${message}\n`);
    if (argv.includes("--debug") && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return code;
  }
}

// A reader that closes early (`nasty tag … | head`) is not an error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.done);
  throw error;
});

endOnSignals();

process.exitCode = await main(process.argv.slice(2));
