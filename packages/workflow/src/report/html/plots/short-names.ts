/**
 * Names of at most `most` letters: without the folders that all of them begin with, then without their middle. Where a
 * name begins says which layer it is of, its end says what of it.
 *
 * @param most letters for each name
 */
export function shortNames(names: readonly string[], most: (index: number) => number): string[] {
  if (names.every((name, index) => name.length <= most(index))) return [...names];
  const shared = sharedFolders(names);
  return names.map((name, index) => {
    if (name.length <= most(index)) return name;
    return withoutMiddle(shared === 0 ? name : `…${name.slice(shared)}`, most(index));
  });
}

/** Letters up to the last separator that all names have in common; 0 for one name, whose beginning is its own. */
function sharedFolders(names: readonly string[]): number {
  const [first = "", ...others] = names;
  if (others.length === 0) return 0;
  let length = 0;
  while (length < first.length && others.every((name) => name[length] === first[length])) length++;
  return Math.max(first.lastIndexOf("/", length - 1), first.lastIndexOf(".", length - 1)) + 1;
}

export function withoutMiddle(name: string, most: number): string {
  const letters = [...name];
  if (letters.length <= most) return name;
  const end = Math.ceil((most - 1) / 2);
  return `${letters.slice(0, most - 1 - end).join("")}…${letters.slice(-end).join("")}`;
}
