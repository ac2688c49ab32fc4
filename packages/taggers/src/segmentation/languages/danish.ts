import type { LanguageSettings } from "./language-settings.js";
import { neutral } from "./neutral.js";
import { wordsOf } from "./words-of.js";

const abbreviations = wordsOf(
  // Titles, degrees and names
  "adj adm afd alb civ chr dept dir dr.jur dr.med dr.phil dr.scient dr frk gdr gl hr ing jr kgl kgs kons kpt lb mag mr mrs nr ordf",
  "pol prof sdr skt sr st stud tidl tlf vedr cand cand.jur cand.mag cand.med cand.merc cand.oecon cand.phil cand.polit",
  "cand.polyt cand.psych cand.scient cand.theol lic lic.jur lic.techn stud.jur stud.mag stud.med",
  // Phrases
  "a.m.b.a alm ang angl bl bl.a ca d.d d.m d.s d.v.s d.å div ds dvs e.kr eks ekskl el.lign etc evt f.eks f.kr f.m f.o.m fhv fig fmd",
  "forts g.m gns h.h.v hhv henh henv i.e i.f.t if iflg ifm ift incl indb inkl insp instr jf jfr jvf lign m.a.o m.fl m.h.p",
  "m.h.t m.m m.v maks max mdr mht modsv mv n.b nuv o.a o.l o.m.a o.s.v obl omkr omtr opr osv p.b.v p.g.a p.t pga pgl pkt pr",
  "ref s.u sml spec spm stk suppl t.d t.eks t.h t.o.m t.v tilsv udg v.h.a vha vejl vsa årg årh ø.h.t",
  // Measures, money and time
  "cl cm cyl d dl eft fm g ha hk kbm kg kl km km/t kr kvm l m mia mill mio mm o/m pc pct postnr s sek spsk t tsk",
  "jan feb mar apr aug sept okt nov dec",
);

/** Danish, by the conventions of UD Danish-DDT. */
export const danish: LanguageSettings = {
  ...neutral,
  abbreviations,
  finalAbbreviations: wordsOf(
    "cl cm d dir dl etc fm g ha hk if kbm kg km km/t kr kvm l m m.fl m.m m.v max mia mill mio mm mv o.a o.l o.s.v osv p.t pc pct pol s s.u",
    "sek spec st stk t t.h t.v",
  ),
  singleLetterWords: ["I"],
  openers: wordsOf(
    "Det Den De Der Her Han Hun Jeg Vi Du Man I På Til Men Og Så Hvis Når Da Efter Før For Fra Med Om En Et Ved Af Hvad Hvorfor Hvordan Hvem Hvor Min Mit Mine Vores Hans Hendes Deres Dette Denne Disse Ikke Nej Ja Som Også Nu Både Alle Under Over Siden Dog Selv",
  ),
  closings: wordsOf("hilsen hilsner tak"),
  months: wordsOf("jan feb mar apr maj jun jul aug sept sep okt nov dec"),
  ordinals: { suffixes: [], behindApostrophe: wordsOf("er ere erne ernes rne"), period: true },
  numbers: { groups: ".", fractions: ",." },
  joiners: "-/",
  apostropheBehind: wordsOf("s z x a u"),
};
