/** A name, a glob in which `*` stands for any characters, or a regular expression. */
export type NamePattern = string | RegExp;

/** Whether a pattern matches a whole name: a string literally or as a glob, a regular expression anywhere in it. */
export function matchesName(pattern: NamePattern, name: string): boolean {
  if (pattern instanceof RegExp)
    return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, "")).test(name);
  if (pattern === name) return true;
  if (!pattern.includes("*")) return false;
  const parts = pattern.split("*").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(name);
}
