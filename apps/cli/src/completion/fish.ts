import type { CompletedCommand } from "./command-tree.js";

const quoted = (text: string): string => `'${text.replace(/[\\']/g, "\\$&")}'`;

/** The script that `nasty completion fish | source` runs, or that is kept in `~/.config/fish/completions`. */
export function fishCompletion(name: string, commands: readonly CompletedCommand[]): string {
  const steps = commands.filter(({ path }) => path.length > 0).map(({ path }) => quoted(path.join(" ")));
  const lines = commands.flatMap(({ path, options, subcommands, operands, takesPath }) => {
    const begin = `complete -c ${name} -n ${quoted(`__${name}_at ${quoted(path.join(" "))}`)}`;
    return [
      ...(takesPath ? [] : [`${begin} -f`]),
      ...subcommands.map((child) => `${begin} -a ${quoted(child.name)} -d ${quoted(child.description)}`),
      ...operands.map((word) => `${begin} -a ${quoted(word)}`),
      ...options.map(({ flags, description, takesValue, choices }) => {
        const names = flags.map((flag) =>
          flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
        );
        const value = choices.length > 0 ? ` -x -a ${quoted(choices.join(" "))}` : takesValue ? " -r" : "";
        return `${begin} ${names.join(" ")}${value} -d ${quoted(description)}`;
      }),
    ];
  });
  return `# Completion of ${name} for fish: ${name} completion fish | source
function __${name}_at
  set -l at
  for word in (commandline -opc)[2..]
    if contains -- (string join -- ' ' $at $word) ${steps.join(" ")}
      set -a at $word
    end
  end
  set -l joined (string join -- ' ' $at)
  test "$joined" = "$argv[1]"
end
${lines.join("\n")}
`;
}
