import { Argument, Command } from "commander";
import { bashCompletion } from "../completion/bash.js";
import { commandTree } from "../completion/command-tree.js";
import { fishCompletion } from "../completion/fish.js";
import { zshCompletion } from "../completion/zsh.js";
import { examples } from "./command.js";

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** A command that explains others, without the options of those that work on models. */
function plain(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .helpOption("-h, --help", "show this help")
    .showHelpAfterError("(run with --help for the options)")
    .exitOverride();
}

/** The program that a command belongs to. */
function programOf(command: Command): Command {
  return command.parent === null ? command : programOf(command.parent);
}

/** `nasty help`: what `nasty COMMAND --help` prints. */
export function helpCommand(): Command {
  return plain("help", "show the help of a command")
    .argument("[command...]", "its name, such as tag, or names, such as quantize eval")
    .action((names: readonly string[], _options: unknown, self: Command) => {
      let at = programOf(self);
      for (const name of names) {
        const next = at.commands.find((child) => child.name() === name);
        if (next === undefined) self.error(`error: unknown command '${name}'`, { exitCode: 1 });
        else at = next;
      }
      at.outputHelp();
    });
}

/** `nasty completion`: a script that lets a shell complete the command line. */
export function completionCommand(): Command {
  return plain("completion", "print a script that completes commands and options in a shell")
    .addArgument(new Argument("<shell>", "the shell that reads it").choices(Object.keys(scripts)))
    .addHelpText(
      "after",
      examples(
        ['eval "$(nasty completion bash)"', "in ~/.bashrc"],
        ['eval "$(nasty completion zsh)"', "in ~/.zshrc, after compinit"],
        ["nasty completion fish | source", "in ~/.config/fish/config.fish"],
      ),
    )
    .action((shell: keyof typeof scripts, _options: unknown, self: Command) => {
      const program = programOf(self);
      process.stdout.write(scripts[shell](program.name(), commandTree(program)));
    });
}
