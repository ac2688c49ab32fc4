/**
 * The settings of these names that were given, in this order: to who takes them on, undefined is not the same as
 * absent.
 */
export function given<T extends object, K extends keyof T>(
  settings: T,
  ...names: readonly K[]
): { readonly [P in K]?: Exclude<T[P], undefined> } {
  const entries = names.map((name) => [name, settings[name]] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as {
    readonly [P in K]?: Exclude<T[P], undefined>;
  };
}
