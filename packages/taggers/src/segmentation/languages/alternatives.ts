/** A pattern of any of these texts, as they are; of nothing where there are none. */
export const alternatives = (texts: readonly string[]): string =>
  texts.length === 0
    ? "(?!)"
    : `(?:${texts.map((text) => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`)).join("|")})`;

/** The inside of a character class of any of these characters. */
export const classOf = (characters: string): string =>
  characters.replaceAll(/[\^$\\.*+?()[\]{}|/-]/g, String.raw`\$&`);
