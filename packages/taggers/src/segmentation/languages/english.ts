import type { LanguageSettings } from "./language-settings.js";
import { wordsOf } from "./words-of.js";

const abbreviations = wordsOf(
  // Titles and names
  "adm atty capt cmdr col cpl dr drs esq fr gen gov hon jr lt maj messrs mr mrs ms mt prof pres rep reps rev sen sens sgt sr st supt",
  // Places and streets
  "apt ave blvd bldg ft hwy rd ste ariz calif colo conn del fla ill ind kans mass mich minn miss mo mont neb nev okla ore pa penn que tenn tex va vt wash wis wyo",
  // Firms
  "assn bros co conf corp dept dist div est inc intl ltd mfg natl univ",
  // Days and months
  "jan feb mar apr jun jul aug sept sep oct nov dec mon tue tues wed thu thur thurs fri sat sun",
  // Print and measures
  "approx arr arrv al attn cf ch ed eds eg esp etc eve ext fig figs ie incl lb lbs lv max min mins misc mob no nos op oz para ph pp pt rec ref sec sq tel viz vol vols vs yr yrs hr hrs",
);

/** English, by the conventions of UD English-EWT. */
export const english: LanguageSettings = {
  abbreviations,
  finalAbbreviations: wordsOf(
    "al am ave co conf dec del ed etc eve fax fig fri ill inc ind info jan jr mar mass max min mins misc miss mo mon mt no nos oct ore pa para pt rec ref sat sec sept sq st sun tel va vol wash wed yr yrs hr hrs",
  ),
  singleLetterWords: ["I"],
  finalWords: wordsOf(
    "all and any are be bit big can car cat day did dog do eat far few for get go god guy had he her him his how in it job kid lot man me my new not now of off ok old on one our out own pay put run say see she so sit the to too top try tv two up us use was way we who why yes yet you",
  ),
  openers: wordsOf(
    "The A An This That These Those It He She We You They I There Here In On At For But And So If When While After Before What Why How Who Where My Our Your His Her Their Its No Not Yes As To Please Then However",
  ),
  closings: wordsOf("thanks regards sincerely cheers wishes"),
  months: wordsOf("jan feb mar apr may june jun july jul aug sept sep oct nov dec"),
  ordinals: { suffixes: wordsOf("st nd rd th s"), behindApostrophe: ["s"], period: false },
  units: wordsOf(
    "am pm k m b mm cm km kg mg g lb lbs oz ft hr hrs min mins sec secs yr yrs mph ghz mhz gb mb kb kw mw mwh bn mn",
  ),
  numbers: { groups: ",", fractions: "." },
  joiners: "",
  hyphenPrefixes: wordsOf(
    "anti arch bi co counter cross de dis e ex extra hyper infra inter intra meh mega meta micro mid mini mis mono multi neo non over para poly post pre pro proto pseudo psycho quasi re semi socio sub super supra trans tri ultra un under uni uber",
  ),
  hyphenatedWords: wordsOf(
    "e-mail e-mails e-mailed x-ray x-rays t-shirt t-shirts uh-huh uh-oh ta-da t-ball yo-yo",
  ),
  slashedWords: wordsOf(
    "w/o w/out w/in b/c b/t b/w c/o n/a a/c l/c i/c i/s i/o r/c r/t w/e s/he p/e w/ tv/vcr",
  ),
  markedNames: ["Yahoo!"],
  apostropheWords: wordsOf("em n cause til till tis twas bout round cuz"),
  apostropheBehind: ["s"],
  contractions: {
    clitics: wordsOf("s m d ll re ve"),
    endings: ["n't"],
    apostropheIsWord: true,
    plain: wordsOf(
      "ai|nt are|nt ca|nt could|nt did|nt does|nt do|nt had|nt has|nt have|nt is|nt should|nt was|nt were|nt wo|nt would|nt must|nt need|nt",
      "can|not gim|me gon|na got|ta wan|na lem|me out|ta sort|a",
      "i|m i|ve it|ll you|ll they|ll you|re they|re you|ve they|ve we|ve what|s that|s there|s here|s whats|s",
    ),
    wholeWords: wordsOf("ma'am o'clock y'all"),
  },
};
