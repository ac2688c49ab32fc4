import { readFileSync } from "node:fs";
import { defaultRecipe, defaultTransformerRecipe } from "@nasty/tagger-training";
import { type Command, CommanderError } from "commander";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { explain } from "@nasty/workflow/command";
import { buildProgram } from "../../src/program.js";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.remove());

const model = ["quantize", "--model", "pos", "--output", "out.onnx"];

/** What the command line says of these arguments, without a process for each. */
async function refusal(args: readonly string[]): Promise<string> {
  const said: string[] = [];
  const silence = (command: Command): void => {
    command.configureOutput({ writeErr: (text) => said.push(text) });
    command.commands.forEach(silence);
  };
  const program = buildProgram();
  silence(program);
  const error = await program.parseAsync([...args], { from: "user" }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof CommanderError)) {
    expect(explain(error).code).toBe(2);
    return explain(error).message;
  }
  expect(error.exitCode).toBe(1);
  return said.join("");
}

describe("wrong usage is exit code 2, with what to give instead", () => {
  test.each([
    ["an unknown command", ["quantise"], /unknown command 'quantise'/],
    [
      "an unknown option",
      ["eval", "--model", "pos", "--test", "t", "--modle", "x"],
      /unknown option '--modle'/,
    ],
    ["a missing option", ["eval", "--model", "pos"], /required option '--test <file>'/],
    ["no model to quantize", ["quantize"], /--model: expected a model file or directory/],
    ["an unknown mode", [...model, "--mode", "int9"], /Allowed choices are static, dynamic/],
    ["static without text", [...model, "--mode", "static"], /expected --calibration FILE/],
    [
      "dynamic with text",
      [...model, "--mode", "dynamic", "--calibration", "test.conllu"],
      /would not be used/,
    ],
    ["a method without text", [...model, "--method", "entropy"], /--method entropy: expected --calibration/],
    ["a limit without text", [...model, "--limit", "5"], /--limit 5: expected --calibration/],
    [
      "a table to save without text",
      [...model, "--save-calibration-table", "t.json"],
      /expected --calibration/,
    ],
    [
      "a percentile for minmax",
      [...model, "--calibration", "test.conllu", "--percentile", "99"],
      /expected --method percentile/,
    ],
    ["activations in dynamic mode", [...model, "--activations", "symmetric"], /expected static mode/],
    ["pairs of blocks", [...model, "--mode", "weight-only", "--pairs", "full"], /exact everywhere/],
    ["pairs of 7 bits", [...model, "--reduce-range", "--pairs", "full"], /cannot be used with/],
    ["blocks without int4", [...model, "--block-size", "64"], /expected --mode int4/],
    [
      "text and table",
      [...model, "--calibration", "test.conllu", "--calibration-table", "t.json"],
      /expected no --calibration beside it/,
    ],
    ["a gate without text", [...model, "--target-accuracy-loss", "0.1"], /expected --validation FILE/],
    ["text without a gate", [...model, "--validation", "test.conllu"], /expected --target-accuracy-loss/],
    ["a loss in percent", [...model, "--target-accuracy-loss", "2"], /number from 0 to 1/],
    ["a percentile of nothing", [...model, "--percentile", "5"], /number above 50/],
    ["no sentences", [...model, "--limit", "0"], /whole number of 1 or more/],
    ["no sentences of a file", [...model, "--calibration", "test.conllu:0"], /count: expected 1 or more/],
    ["both symmetries", [...model, "--symmetric", "--asymmetric"], /cannot be used with/],
    [
      "a name that says another compression",
      ["quantize", "--model", "pos", "--output", "x.onnx.br", "--compress", "gzip"],
      /ending in \.gz/,
    ],
    ["standard input twice", ["score", "--gold", "-", "--system", "-"], /at most one standard input/],
    [
      "standard input for text twice",
      [...model, "--calibration", "-", "--calibration", "-:5"],
      /at most one -, got 2/,
    ],
    ["no threads", ["tag", "--model", "pos", "--threads", "0"], /whole number of 1 or more/],
    ["an operand too many", ["demo", "a", "b"], /too many arguments/],
  ])("%s", async (_, args, message) => {
    expect(await refusal(args)).toMatch(message);
  });

  test("the binary ends with that code, one message, and nothing on standard output", async () => {
    expect(await shop.refused(2, ["quantise"])).toMatch(/^error: unknown command 'quantise'/);
    expect(await shop.refused(2, ["quantize"])).toMatch(/^nasty: quantize: --model: expected/);
  });
});

describe("help and version", () => {
  test("every command explains itself, with an example", async () => {
    const commands = ["demo", "quantize", "eval", "score", "benchmark", "tag", "inspect"];
    const all = await shop.nasty(["--help"]);
    expect(all).toMatchObject({ code: 0, stderr: "" });
    for (const name of commands) expect(all.stdout).toMatch(new RegExp(`^ {2}${name} `, "m"));
    expect(all.stdout).toContain("4 accuracy gate failed");
    for (const args of [...commands.map((name) => [name]), ["quantize", "eval"], ["quantize", "estimate"]]) {
      const { code, stdout } = await shop.nasty([...args, "--help"]);
      expect(code).toBe(0);
      expect(stdout).toContain(`Usage: nasty ${args.join(" ")}`);
      expect(stdout).toMatch(/\nExamples:\n {2}.*nasty /s);
      for (const option of ["--json", "--quiet", "--seed", "--threads"]) expect(stdout).toContain(option);
    }
  });

  test("help COMMAND is COMMAND --help, and completion prints a script", async () => {
    for (const names of [["tag"], ["quantize", "eval"]]) {
      const asked = await shop.nasty([...names, "--help"]);
      expect(await shop.nasty(["help", ...names])).toEqual(asked);
    }
    expect((await shop.nasty(["help"])).stdout).toBe((await shop.nasty(["--help"])).stdout);
    expect(await shop.refused(2, ["help", "quantise"])).toMatch(/^error: unknown command 'quantise'/);
    for (const shell of ["bash", "zsh", "fish"]) {
      const { code, stdout, stderr } = await shop.nasty(["completion", shell]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toContain("quantize");
    }
    expect(await shop.refused(2, ["completion", "ksh"])).toMatch(/Allowed choices are bash, zsh, fish/);
  });

  test("every option that takes a value says what stands in for it, or that it is required", () => {
    const walk = (command: Command): void => {
      const help = command.createHelp();
      for (const option of help.visibleOptions(command)) {
        if (!option.required && !option.optional) continue;
        const text = help.optionDescription(option);
        expect(text, `${command.name()} ${option.flags}`).toMatch(/\((?:required|.*\bdefault\b)/);
        if (option.mandatory) expect(text).toMatch(/\(required\)$/);
      }
      command.commands.forEach(walk);
    };
    walk(buildProgram());
  });

  test("a command that the line names has all that it has in the whole command line", () => {
    const helpOf = (program: Command, names: readonly string[]): string =>
      names
        .reduce((at, name) => at.commands.find((child) => child.name() === name)!, program)
        .helpInformation();
    const whole = buildProgram();
    const walk = (names: readonly string[], { commands }: Command): void => {
      for (const words of [names, ["help", ...names], [...names, "--help"]])
        expect(helpOf(buildProgram(words), names)).toBe(helpOf(whole, names));
      for (const child of commands) walk([...names, child.name()], child);
    };
    walk([], whole);
    expect(buildProgram(["tag"]).commands.find((child) => child.name() === "train")?.options).toEqual([]);
  });

  test("the defaults of trainings are those that they have", () => {
    const described = (name: string, long: string): string => {
      const found = buildProgram().commands.find((child) => child.name() === name);
      return found?.options.find((option) => option.long === long)?.description ?? "";
    };
    const text = (network: number, transformer: number) =>
      `(default: ${network}; transformer: ${transformer})`;
    const [network, transformer] = [defaultRecipe, defaultTransformerRecipe];
    expect(described("train", "--epochs")).toContain(text(network.epochs, transformer.epochs));
    expect(described("train", "--batch-size")).toContain(text(network.batchSentences, transformer.batchSize));
    expect(described("train", "--learning-rate")).toContain(
      text(network.learningRate, transformer.learningRate),
    );
    expect(described("distill", "--epochs")).toContain(`cnn and bilstm: ${network.epochs})`);
    expect(described("distill", "--batch-size")).toContain(`cnn and bilstm: ${network.batchSentences})`);
    expect(described("distill", "--learning-rate")).toContain(`cnn and bilstm: ${network.learningRate})`);
  });

  test("the version is the package's", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    expect(await shop.nasty(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  test("--debug adds the stack, without it there is none", async () => {
    const args = ["inspect", "--model", "none.onnx"];
    expect((await shop.nasty(args)).stderr).not.toContain("    at ");
    expect((await shop.nasty([...args, "--debug"])).stderr).toContain("    at ");
  });
});
