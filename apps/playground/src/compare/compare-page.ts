import { chosenFiles } from "../page/dropped-files.js";
import { element } from "../page/element.js";
import { bytesText } from "../page/figures.js";
import { flipsView } from "../page/flips-view.js";
import { changeState, readState } from "../page/state.js";
import { textField } from "../page/text-field.js";
import { table } from "../page/table.js";
import { Cancelled, startTask, type Task } from "../page/task.js";
// vite makes the export.
// oxlint-disable-next-line import/default
import address from "./compare-worker.js?worker&url";
import type { Comparison, Question } from "./compare-worker.js";

/** Shows the page that sets two models side by side; the function that it gives back ends what runs. */
export function showComparePage(main: HTMLElement): () => void {
  let running: Task<Comparison> | undefined;
  const first = element("input", { type: "file", id: "first", multiple: true });
  const second = element("input", { type: "file", id: "second", multiple: true });
  const text = element("textarea", { id: "text", rows: 5, spellcheck: "false" });
  text.value = readState()["comparison"] ?? "";
  const go = element("button", { type: "button", id: "compare" }, "Compare");
  const stop = element("button", { type: "button", id: "cancel", class: "plain", hidden: true }, "Cancel");
  const status = element("p", { role: "status", class: "status" });
  const problem = element("p", { role: "alert", class: "error", hidden: true });
  const result = element("div");
  main.append(
    element("h1", {}, "Compare"),
    element(
      "p",
      {},
      "Two taggers on one text. A model that does not carry its labels is chosen together with its config.json and tokenizer.json.",
    ),
    element("label", { for: "first" }, "First model"),
    first,
    element("label", { for: "second" }, "Second model"),
    second,
    ...textField(text, "Text"),
    element("p", { class: "choice" }, go, stop),
    status,
    problem,
    result,
  );
  const compare = async (): Promise<void> => {
    const models = [chosenFiles(first.files), chosenFiles(second.files)] as const;
    result.replaceChildren();
    problem.hidden = true;
    if (models.some(({ size }) => size === 0)) {
      status.textContent = "Choose two models.";
      return;
    }
    const task = startTask<Comparison>(
      address,
      { models, text: text.value } satisfies Question,
      ({ stage, done, total }) => {
        status.textContent = total === undefined ? `${stage}…` : `${stage}: round ${done} of ${total}`;
      },
    );
    running = task;
    go.disabled = true;
    stop.hidden = false;
    try {
      result.replaceChildren(comparisonView(await task.result));
      status.textContent = "Done.";
    } catch (error) {
      status.textContent = error instanceof Cancelled ? "Cancelled." : "";
      problem.hidden = error instanceof Cancelled;
      problem.textContent = error instanceof Error ? error.message : String(error);
    } finally {
      go.disabled = false;
      stop.hidden = true;
    }
  };
  go.addEventListener("click", () => void compare());
  stop.addEventListener("click", () => running?.cancel());
  text.addEventListener("input", () => changeState({ comparison: text.value || undefined }));
  return () => running?.cancel();
}

function comparisonView({ models, words, flips }: Comparison): HTMLElement {
  const rows = models.map(({ name, bytes, msPerSentence }) => [
    name,
    bytesText(bytes),
    `${msPerSentence.toFixed(2)} ms`,
  ]);
  return element(
    "section",
    { id: "comparison", "aria-label": "Comparison" },
    table("Models", ["model", "size", "time a sentence"], rows),
    ...flipsView(flips, words, { first: "first", second: "second", verb: "differ" }),
  );
}
