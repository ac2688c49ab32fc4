// Cut raw text into sentences and words with exact character offsets.
import { segmentText } from "@nasty/taggers";

const text = "I can't believe it's over! Mail me at info@example.org, or call 555-0100.";
for (const { words } of segmentText(text)) {
  console.log(words.map(({ form, start, end }) => `${form}[${start}-${end}]`).join(" "));
}
