// What a tagger computes, to the last bit, in one short text: programs for every engine of JavaScript import it.

/** Sentences of several lengths, with words that no model knows, in two scripts. */
const sentences = `Time flies like an arrow .
Ada Lovelace did n't live in Paris , but in London and Ockham Park , as the Royal Society wrote in 1843 .
Flurbling quixotically , the 12 snorks of Acme Inc. re-zoinked www.example.org !
Москва 東京 naïve
Why ?`
  .split("\n")
  .map((line) => line.split(" "));

const hex = (bytes) =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

async function sha256(parts) {
  return hex(await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer()));
}

/** The scores of all words, one sentence at a time and in a batch, as float32. */
async function bitsOf(tagger) {
  const parts = [];
  for (const batchSize of [1, 8])
    for await (const { data, start, length } of tagger.scores(sentences, { batchSize }))
      parts.push(data.slice(start, start + length * tagger.labels.length));
  if (!parts.some((scores) => scores.some((score) => score !== 0)))
    throw new Error(`scores: expected numbers that are not zero, got ${parts.length} lists of zeros`);
  await tagger.close();
  return sha256(parts);
}

/**
 * Labels of a sentence, and a digest of the scores of each model.
 *
 * @param open opens a tagger by the name of its model
 * @param names of the models
 */
export async function digestOfTaggers(open, names) {
  const digests = [];
  for (const name of names) digests.push(`${name} ${await bitsOf(await open(name))}`);
  return digests.join("\n");
}

/** What an exported module says of a text and of words, as one digest: labels, and where entities are. */
export async function digestOfModule({ tag, tagSentences }) {
  const text = sentences.map((words) => words.join(" ")).join("\n");
  const tagged = (await tag(text)).map(({ words, entities = [] }) => [
    words.map(({ form, label, start }) => [form, label, start]),
    // Scores of entities are made by the engine's own exponential function, whose last bit differs between them.
    entities.map(({ type, start, end }) => [type, start, end]),
  ]);
  return sha256([JSON.stringify([tagged, await tagSentences(sentences)])]);
}
