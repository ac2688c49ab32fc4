// Tag raw text with the embedded English models; character offsets point into the text.
import { fileURLToPath } from "node:url";
import { nerInt8, posInt8 } from "@nasty/model-en";
import { tagText } from "@nasty/taggers";
import { openTagger } from "@nasty/taggers/node";

const text = "Maria flew from Paris to Berlin. She didn't like it!";
for (const model of [posInt8, nerInt8]) {
  const tagger = await openTagger(fileURLToPath(model));
  for await (const { words } of tagText(tagger, text)) {
    console.log(words.map(({ form, label, start }) => `${form}/${label}@${start}`).join(" "));
  }
  await tagger.close();
}
