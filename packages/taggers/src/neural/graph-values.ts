/** Output that holds a score for each label: [batch, length, labels]. */
export const logitsOutput = "logits";

/** Name of the output of an auxiliary head. */
export const auxiliaryOutput = (head: string): string => `${logitsOutput}_${head}`;

/**
 * Outputs with the scores of a label after another, and at both ends, where the model has a conditional random field.
 */
export const chainOutputs = { transitions: "transitions", start: "start", end: "end" } as const;

/**
 * The value that holds one vector for each distinct word, [words, width]: where a tagger may cut the graph to keep
 * vectors.
 */
export const embeddingsValue = "embeddings";
