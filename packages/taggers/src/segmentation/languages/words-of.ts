/** The words of lists that are written in one text. */
export const wordsOf = (...lists: readonly string[]): readonly string[] => lists.join(" ").split(" ");
