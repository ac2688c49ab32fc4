import type { CompletedCommand } from "./command-tree.js";

/** A pattern of `case`: the path of a command, each name after a space, and one more word. */
const pattern = (path: readonly string[], word?: string): string =>
  `"${[...path, ...(word === undefined ? [] : [word])].map((name) => ` ${name}`).join("")}"`;

/** The script that `eval "$(nasty completion bash)"` runs. */
export function bashCompletion(name: string, commands: readonly CompletedCommand[]): string {
  const steps = commands.filter(({ path }) => path.length > 0).map(({ path }) => pattern(path));
  const values = commands.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .flatMap(({ flags, choices }) => {
        const words = choices.length === 0 ? "-f" : `-W "${choices.join(" ")}"`;
        return flags.map((flag) => `    ${pattern(path, flag)}) words=(${words}) ;;`);
      }),
  );
  const rest = commands.map(({ path, options, subcommands, operands, takesPath }) => {
    const flags = options.flatMap((option) => option.flags).join(" ");
    const names = [...subcommands.map((child) => child.name), ...operands].join(" ");
    return `      ${pattern(path)}) flags="${flags}"; names=(${takesPath ? "-f " : ""}-W "${names}") ;;`;
  });
  return `# Completion of ${name} for bash: eval "$(${name} completion bash)" in ~/.bashrc
_${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" at="" flags="" names=() words=() line i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
      ${steps.join("|")}) at="$at \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at $previous" in
${values.join("\n")}
  esac
  if [[ \${#words[@]} -eq 0 ]]; then
    case "$at" in
${rest.join("\n")}
    esac
    if [[ "$current" == -* ]]; then words=(-W "$flags"); else words=("\${names[@]}"); fi
  fi
  # Names of files may have spaces; bash 3 of macOS has no mapfile.
  COMPREPLY=()
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "\${words[@]}" -- "$current")
}
complete -o filenames -F _${name} ${name}
`;
}
