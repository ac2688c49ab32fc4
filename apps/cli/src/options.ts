import { Command, InvalidArgumentError, Option } from "commander";

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError("Expected a whole number of 1 or more.");
  return value;
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError("Expected a whole number of 0 or more.");
  return value;
}

export function share(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError("Expected a number from 0 to 1.");
  return value;
}

export function percentile(text: string): number {
  const value = Number(text);
  if (!(value > 50 && value <= 100))
    throw new InvalidArgumentError("Expected a number above 50 and up to 100.");
  return value;
}

/** Collects a repeatable option into a list. */
export function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

/** A command with the options that every command takes, on one line of definition. */
export function command(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .enablePositionalOptions()
    .allowExcessArguments(false)
    .showHelpAfterError("(run with --help for the options)")
    .exitOverride()
    .option("--json", "print one JSON document on standard output")
    .option("--quiet", "no progress and no remarks on standard error")
    .addOption(new Option("--seed <n>", "seed of everything random").default(1).argParser(wholeNumber))
    .addOption(new Option("--threads <n>", "threads of the runtime").default(1).argParser(positiveInteger))
    .option("--debug", "print the stack trace of an error");
}
