import { sampleConllu } from "@nasty/model-en";
import { element } from "./element.js";

/** A field for a text that is typed, pasted or dropped as a file, with a button that fills in the English sample. */
export function textField(field: HTMLTextAreaElement, label: string): HTMLElement[] {
  const fill = (text: string): void => {
    field.value = text;
    field.dispatchEvent(new Event("input"));
  };
  field.addEventListener("drop", (event) => {
    const [file] = event.dataTransfer?.files ?? [];
    if (file === undefined) return;
    event.preventDefault();
    void file.text().then(fill);
  });
  const sample = element(
    "button",
    { type: "button", class: "plain", click: () => void sampleText().then(fill) },
    "Use the English sample",
  );
  return [element("label", { for: field.id }, label), field, element("p", { class: "choice" }, sample)];
}

async function sampleText(): Promise<string> {
  const conllu = await (await fetch(sampleConllu)).text();
  return [...conllu.matchAll(/^# text = (.*)$/gm)].map(([, text]) => text).join("\n");
}
