import { formName, type Reading, type ReadText } from "@nasty/workflow/command";
import type { Console } from "./console.js";

/**
 * A console whose results say what the texts of the command were taken for: `inputs` in JSON, a remark each beside a
 * result in text, whose layout stays as it is. A text that could be taken otherwise gets a remark in both.
 */
export function sayingTexts(terminal: Console, reading: Reading): Console {
  return {
    ...terminal,
    result: (value, text) => {
      for (const doubt of reading.takeDoubts()) terminal.note(doubt);
      const inputs = reading.texts;
      terminal.result(inputs.length === 0 ? value : withInputs(value, inputs), () => {
        for (const input of inputs) terminal.note(inputLine(input));
        return text();
      });
    },
  };
}

function withInputs(value: unknown, inputs: readonly ReadText[]): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return { ...value, inputs: inputs.map(({ path, form, by }) => ({ path, form, by })) };
}

function inputLine({ path, form, by }: ReadText): string {
  const decided = { content: "its content", name: "its name", option: "--input-format", default: "default" };
  return `read ${path} as ${formName(form)} (by ${decided[by]})`;
}
