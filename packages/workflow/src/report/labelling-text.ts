import type { Labelling } from "@nasty/taggers";

/** What labels were taken for, as JSON documents have it. */
export interface LabellingDocument {
  readonly task: Labelling["task"];
  readonly scheme: Labelling["scheme"];
  readonly reason: string;
  /** Whether the labels could be meant otherwise too. */
  readonly ambiguous: boolean;
  /** Labels that the scheme does not know; words with them count as outside of entities. */
  readonly foreign: readonly string[];
}

export function labellingDocument(labelling: Labelling): LabellingDocument {
  const { task, scheme, reason, isAmbiguous, foreign } = labelling;
  return { task, scheme, reason, ambiguous: isAmbiguous, foreign };
}

/** Task and scheme of what was judged, and of the gold labels where they are of another scheme. */
export function labellingLines(judged: LabellingDocument, gold?: LabellingDocument): string[] {
  const { task, scheme, reason } = judged;
  return [
    task === "pos"
      ? `task: parts of speech (${reason})`
      : `task: entities${scheme === null ? "" : ` in ${scheme} labels`} (${reason})`,
    ...foreignLines("labels", judged),
    ...doubtLines(judged),
    ...(gold === undefined || gold.scheme === null || gold.scheme === scheme ? [] : [otherScheme(gold)]),
    ...(gold === undefined || gold.foreign.join("\0") === judged.foreign.join("\0")
      ? []
      : foreignLines("gold labels", gold)),
  ];
}

function otherScheme({ scheme, reason }: LabellingDocument): string {
  return `gold labels are in ${scheme} (${reason}): compared as entities, not as labels`;
}

function foreignLines(what: string, { foreign, scheme }: LabellingDocument): string[] {
  return foreign.length === 0
    ? []
    : [`${what} that ${scheme ?? "the scheme"} does not know count as outside: ${foreign.join(", ")}`];
}

function doubtLines({ ambiguous, task }: LabellingDocument): string[] {
  if (!ambiguous || task === "ner") return [];
  return ["if the labels are those of entities, give --task ner or --scheme"];
}

/** What a person should know about labels that are written; nothing where they are plain. */
export function labellingRemarks(labelling: Labelling | undefined): string[] {
  if (labelling === undefined) return [];
  const { foreign, isAmbiguous } = labelling;
  return foreign.length === 0 && !isAmbiguous ? [] : labellingLines(labellingDocument(labelling));
}
