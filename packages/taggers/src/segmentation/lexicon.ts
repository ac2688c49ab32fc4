/** Words written with a period that belongs to them, lower case and without it. */
export const ABBREVIATIONS: ReadonlySet<string> = new Set(
  // Titles and names
  (
    "adm atty capt cmdr col cpl dr drs esq fr gen gov hon jr lt maj messrs mr mrs ms mt prof pres rep reps rev sen sens sgt sr st supt " +
    // Places and streets
    "apt ave blvd bldg ft hwy rd ste ariz calif colo conn del fla ill ind kans mass mich minn miss mo mont neb nev okla ore pa penn que tenn tex va vt wash wis wyo " +
    // Firms
    "assn bros co conf corp dept dist div est inc intl ltd mfg natl univ " +
    // Days and months
    "jan feb mar apr jun jul aug sept sep oct nov dec mon tue tues wed thu thur thurs fri sat sun " +
    // Print and measures
    "approx arr arrv al attn cf ch ed eds eg esp etc eve ext fig figs ie incl lb lbs lv max min mins misc mob no nos op oz para ph pp pt rec ref sec sq tel viz vol vols vs yr yrs hr hrs "
  )
    .trim()
    .split(/\s+/),
);

/**
 * Abbreviations that are also common words or that end sentences: before a sentence's end their period is the
 * sentence's.
 */
export const SENTENCE_FINAL_SPLIT: ReadonlySet<string> = new Set(
  "al am ave co conf dec del ed etc eve fax fig fri ill inc ind info jan jr mar mass max min mins misc miss mo mon mt no nos oct ore pa para pt rec ref sat sec sept sq st sun tel va vol wash wed yr yrs hr hrs".split(
    " ",
  ),
);

/** Words of up to three letters that end sentences and are never abbreviations. */
export const FINAL_WORDS: readonly string[] =
  "all and any are be bit big can car cat day did dog do eat far few for get go god guy had he her him his how in it job kid lot man me my new not now of off ok old on one our out own pay put run say see she so sit the to too top try tv two up us use was way we who why yes yet you".split(
    " ",
  );

/** First parts that stay joined to what follows their hyphen; all other hyphens are words of their own. */
export const HYPHEN_PREFIXES: ReadonlySet<string> = new Set(
  "anti arch bi co counter cross de dis e ex extra hyper infra inter intra meh mega meta micro mid mini mis mono multi neo non over para poly post pre pro proto pseudo psycho quasi re semi socio sub super supra trans tri ultra un under uni uber".split(
    " ",
  ),
);

/** Words with inner hyphens that are one word all the same. */
export const HYPHENATED_WORDS: ReadonlySet<string> = new Set(
  "e-mail e-mails e-mailed x-ray x-rays t-shirt t-shirts uh-huh uh-oh ta-da t-ball yo-yo".split(" "),
);

/** Contractions written without an apostrophe: where the second word begins. */
export const PLAIN_CONTRACTIONS: ReadonlyMap<string, number> = new Map(
  (
    "ai|nt are|nt ca|nt could|nt did|nt does|nt do|nt had|nt has|nt have|nt is|nt should|nt was|nt were|nt wo|nt would|nt must|nt need|nt " +
    "can|not gim|me gon|na got|ta wan|na lem|me out|ta sort|a " +
    "i|m i|ve it|ll you|ll they|ll you|re they|re you|ve they|ve we|ve what|s that|s there|s here|s whats|s"
  )
    .split(" ")
    .map((entry) => [entry.replace("|", ""), entry.indexOf("|")] as const),
);

/** Slashed abbreviations that are one word. */
export const SLASHED_WORDS: ReadonlySet<string> = new Set(
  "w/o w/out w/in b/c b/t b/w c/o n/a a/c l/c i/c i/s i/o r/c r/t w/e s/he p/e w/ tv/vcr".split(" "),
);

/** Endings that make `name.ending` a file or host name rather than two words with a period between. */
export const NAME_ENDINGS =
  "aero|asp|aspx|avi|biz|bmp|ca|cfm|co|com|csv|de|dll|doc|docx|edu|eu|exe|fr|gif|gov|gz|htm|html|info|int|io|java|jpeg|jpg|js|json|jsp|md|mil|mov|mp3|mp4|mpg|net|org|pdf|php|png|pps|ppt|pptx|py|rtf|ru|tar|tex|ts|tv|txt|uk|us|wav|wmv|xls|xlsx|xml|yaml|zip";
