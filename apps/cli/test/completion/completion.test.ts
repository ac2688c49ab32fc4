import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { bashCompletion } from "../../src/completion/bash.js";
import { commandTree } from "../../src/completion/command-tree.js";
import { fishCompletion } from "../../src/completion/fish.js";
import { zshCompletion } from "../../src/completion/zsh.js";
import { buildProgram } from "../../src/program.js";

const tree = commandTree(buildProgram());
const root = new URL("../../../..", import.meta.url);

/** What bash offers for the last of some words. */
function offered(...words: readonly string[]): string[] {
  const script = `${bashCompletion("nasty", tree)}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _nasty; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const said = execFileSync("bash", ["-c", script, "bash", "nasty", ...words], {
    cwd: root,
    encoding: "utf8",
  });
  return said.split("\n").filter((line) => line !== "");
}

describe("completion of the command line", () => {
  test("knows every command, its options and the values that they take", () => {
    const at = (path: string) => tree.find((command) => command.path.join(" ") === path);
    expect(at("quantize eval")?.options.flatMap(({ flags }) => flags)).toContain("--original");
    expect(at("quantize")?.options.find(({ flags }) => flags.includes("--mode"))).toMatchObject({
      takesValue: true,
      choices: ["static", "dynamic", "int4", "weight-only"],
    });
    expect(at("tag")?.takesPath).toBe(true);
    expect(at("help")).toMatchObject({ operands: expect.arrayContaining(["tag"]), takesPath: false });
  });

  test.each([
    [["quan"], ["quantize"]],
    [
      ["quantize", ""],
      ["eval", "estimate"],
    ],
    [
      ["quantize", "--mode", ""],
      ["static", "dynamic", "int4", "weight-only"],
    ],
    [["quantize", "--quiet", "eval", "--orig"], ["--original"]],
    [["tag", "--format", "con"], ["conllu"]],
    [["tag", "READ"], ["README.md"]],
    [["eval", "--test", "READ"], ["README.md"]],
    [["help", "tra"], ["train"]],
    [["completion", "z"], ["zsh"]],
  ])("bash offers for nasty %j what fits: %j", (words, expected) => {
    expect(offered(...words)).toEqual(expected);
  });

  test("zsh and fish are told the same names", () => {
    const zsh = zshCompletion("nasty", tree);
    const fish = fishCompletion("nasty", tree);
    for (const { path, options, subcommands } of tree) {
      for (const { name, description } of subcommands) {
        expect(zsh).toContain(`'${name}:${description.replaceAll("'", "'\\''")}'`);
        expect(fish).toContain(` -a '${name}' -d `);
      }
      for (const { flags, choices } of options) {
        for (const flag of flags.filter((one) => one.startsWith("--"))) {
          expect(fish).toMatch(
            new RegExp(`'__nasty_at \\\\'${path.join(" ")}\\\\''.* -l ${flag.slice(2)}\\b`),
          );
          expect(zsh).toContain(`'${flag}:`);
        }
        if (choices.length > 0) expect(zsh).toContain(`compadd -- ${choices.join(" ")};`);
      }
    }
  });
});
