/** A pattern of any of these texts, as they are; of nothing where there are none. */
export const alternatives = (texts: readonly string[]): string =>
  texts.length === 0
    ? "(?!)"
    : `(?:${texts.map((text) => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`)).join("|")})`;
