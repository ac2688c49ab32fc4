import { editDistance } from "./edit-distance.js";

/** Letters and digits only: spellings with hyphens, underscores and capitals are one name. */
const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");

/** The name that was most likely meant, or undefined if none is near: at most two of five letters may differ. */
export function nearestName(written: string, names: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const name of names) {
    const distance = editDistance(plain(written), plain(name));
    if (distance < least) [nearest, least] = [name, distance];
  }
  return nearest !== undefined && least <= Math.max(1, Math.floor(0.4 * plain(nearest).length))
    ? nearest
    : undefined;
}

/** `expected one of …, got …` with the name that was meant, where one is near. */
export function unknownName(written: string, names: readonly string[]): string {
  const nearest = nearestName(written, names);
  const meant = nearest === undefined ? "" : `; did you mean ${nearest}?`;
  return `expected one of ${names.join(", ")}, got ${written}${meant}`;
}
