import type { CompletedCommand } from "./command-tree.js";

/** Text in single quotes, with `:` kept from ending a name. */
const quoted = (text: string): string => `'${text.replace(/'/g, "'\\''")}'`;
const item = (name: string, description: string): string =>
  quoted(`${name.replace(/:/g, "\\:")}:${description}`);

const pattern = (path: readonly string[], word?: string): string =>
  `"${[...path, ...(word === undefined ? [] : [word])].map((name) => ` ${name}`).join("")}"`;

/** The script that `eval "$(nasty completion zsh)"` runs, or that is kept as `_nasty` in a folder of `fpath`. */
export function zshCompletion(name: string, commands: readonly CompletedCommand[]): string {
  const steps = commands.filter(({ path }) => path.length > 0).map(({ path }) => pattern(path));
  const values = commands.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map(({ flags, choices }) => {
        const patterns = flags.map((flag) => pattern(path, flag)).join("|");
        return `    (${patterns}) ${choices.length === 0 ? "_files" : `compadd -- ${choices.join(" ")}`}; return ;;`;
      }),
  );
  const rest = commands.map(({ path, options, subcommands, operands, takesPath }) => {
    const flags = options.flatMap((option) => option.flags.map((flag) => item(flag, option.description)));
    const names = [
      ...subcommands.map((child) => item(child.name, child.description)),
      ...operands.map((word) => item(word, "")),
    ];
    return `    (${pattern(path)})
      flags=(${flags.join(" ")})
      names=(${names.join(" ")})${takesPath ? "\n      paths=_files" : ""} ;;`;
  });
  return `#compdef ${name}
# Completion of ${name} for zsh: eval "$(${name} completion zsh)" in ~/.zshrc, after compinit
_${name}() {
  local at="" word paths=""
  local -a flags names
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at $word" in
      (${steps.join("|")}) at="$at $word" ;;
    esac
  done
  case "$at \${words[CURRENT-1]}" in
${values.join("\n")}
  esac
  case "$at" in
${rest.join("\n")}
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then
    _describe option flags
  else
    (( \${#names} )) && _describe command names
    [[ -n "$paths" ]] && _files
  fi
}
if [[ "\${funcstack[1]}" == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}
