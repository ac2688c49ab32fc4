/** Names that entity types have in well-known corpora; upper case. */
const entityTypes: ReadonlySet<string> = new Set(
  `PER PERS PERSON LOC LOCATION ORG ORGANIZATION ORGANISATION MISC MISCELLANEOUS GPE FAC FACILITY NORP DATE TIME MONEY PERCENT PRODUCT
  EVENT WORK_OF_ART LAW LANGUAGE QUANTITY CARDINAL ORDINAL GENE PROTEIN DNA RNA CELL_LINE CELL_TYPE DISEASE CHEMICAL DRUG SPECIES
  EMAIL PHONE ADDRESS NAME AGE`.split(/\s+/),
);

/**
 * Tags of words, by UPOS, Penn Treebank and Chinese Treebank; without `X`, which is a placeholder for types as well.
 */
const wordTags: ReadonlySet<string> = new Set(
  `ADJ ADP ADV AUX CCONJ CONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB
  CC CD DT EX FW IN JJ JJR JJS LS MD NN NNS NNP NNPS NR NT PDT POS PRP PRP$ PU RB RBR RBS RP TO UH VA VB VBD VBG VBN VBP VBZ VV
  WDT WP WP$ WRB`.split(/\s+/),
);

export function isKnownEntityType(name: string): boolean {
  return entityTypes.has(name.toUpperCase());
}

/** Whether most of these types are tags of words: labels such as `B-NOUN` cut a text into words and tag them. */
export function areWordTags(types: readonly string[]): boolean {
  const tags = types.filter((type) => wordTags.has(type.replace(/[|+].*$/s, "").toUpperCase()));
  return types.length > 0 && 2 * tags.length > types.length;
}
