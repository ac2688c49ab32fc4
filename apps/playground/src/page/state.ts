/** What the address says after `#`: which page, and what was chosen on it. */
export type State = Readonly<Record<string, string>>;

/** Texts beyond this do not go into the address: some servers and messengers cut it. */
const longestText = 4000;

/** Reads the state from the address. */
export const readState = (): State => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

/** Changes parts of the state; undefined takes one out. The address changes in place, without a step to go back to. */
export function changeState(changes: Readonly<Record<string, string | undefined>>): void {
  const state = new URLSearchParams(location.hash.slice(1));
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined || value.length > longestText) state.delete(key);
    else state.set(key, value);
  }
  history.replaceState(null, "", `#${state}`);
}
