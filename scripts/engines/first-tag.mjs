// The first thing that a user's program does, tags a sentence with the default model.
import { fileURLToPath } from "node:url";
import { posInt8 } from "@nasty/model-en";
import { tagText } from "@nasty/taggers";
import { openTagger } from "@nasty/taggers/node";

const tagger = await openTagger(fileURLToPath(posInt8));
for await (const { words } of tagText(tagger, "Time flies like an arrow.")) {
  console.log(words.map(({ form, label }) => `${form}/${label}`).join(" "));
}
await tagger.close();
