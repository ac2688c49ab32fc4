import { labelSchemes } from "@nasty/formats/iob";
import * as v from "valibot";

/** What metadata of every kind say about labels. */
export const labelEntries = {
  task: v.picklist(["pos", "ner"]),
  labels: v.pipe(v.array(v.string()), v.minLength(1)),
  scheme: v.optional(v.picklist(labelSchemes)),
};
