import { posFloat32 } from "@nasty/model-en-float32";
import { chosenFiles, droppedFiles, type Files } from "../page/dropped-files.js";
import { element } from "../page/element.js";
import { changeState, readState } from "../page/state.js";
import { textField } from "../page/text-field.js";
import { Cancelled, startTask, type Task, type TaskProgress } from "../page/task.js";
import type { Inspected } from "./examine.js";
import { type Mode, modes } from "./quantize-model.js";
// vite makes the export.
// oxlint-disable-next-line import/default
import address from "./quantize-worker.js?worker&url";
import type { Question, Result } from "./quantize-worker.js";
import { inspectedView, resultView } from "./result-view.js";

const names: Readonly<Record<Mode, string>> = {
  dynamic: "Dynamic INT8: no text needed",
  static: "Static INT8: ranges measured on the text below",
  int4: "INT4: the smallest file",
};

/** Shows the page that quantizes a model; the function that it gives back ends what runs. */
export function showQuantizePage(main: HTMLElement): () => void {
  const state = readState();
  let files: Files | undefined;
  let running: Task<unknown> | undefined;

  const file = element("input", { type: "file", id: "file", multiple: true });
  const folder = element("input", { type: "file", id: "folder", webkitdirectory: true });
  const mode = element(
    "select",
    { id: "mode" },
    ...modes.map((name) => element("option", { value: name }, names[name])),
  );
  mode.value = modes.find((name) => name === state["mode"]) ?? "dynamic";
  const text = element("textarea", { id: "calibration", rows: 5, spellcheck: "false" });
  text.value = state["calibration"] ?? "";
  const go = element("button", { type: "button", id: "quantize", disabled: true }, "Quantize");
  const stop = element("button", { type: "button", id: "cancel", class: "plain", hidden: true }, "Cancel");
  const bar = element("progress", { max: 1, hidden: true, "aria-label": "Progress" });
  const status = element("p", { role: "status", class: "status" });
  const problem = element("p", { role: "alert", class: "error", hidden: true });
  const inspected = element("div");
  const result = element("div");
  const ready = element(
    "button",
    { type: "button", class: "plain", id: "ready", click: () => void defaultTagger().then(take) },
    "Or take the default English tagger",
  );
  const drop = element(
    "div",
    { class: "drop" },
    element(
      "p",
      {},
      "Drop an ONNX file or a Hugging Face folder here, or choose one. It stays on this machine.",
    ),
    element("label", { for: "file" }, "Model file"),
    file,
    element("label", { for: "folder" }, "or a folder"),
    folder,
    element("p", { class: "choice" }, ready),
  );
  main.append(
    element("h1", {}, "Quantize"),
    drop,
    inspected,
    element("label", { for: "mode" }, "Mode"),
    mode,
    ...textField(text, "Text to calibrate and to compare on"),
    element("p", { class: "choice" }, go, stop),
    bar,
    status,
    problem,
    result,
  );

  const onProgress = ({ stage, done, total }: TaskProgress): void => {
    status.textContent = total === undefined ? `${stage}…` : `${stage}: ${done} of ${total}`;
    if (total === undefined || done === undefined) bar.removeAttribute("value");
    else bar.value = done / total;
  };
  /** Runs one task, with what shows that it runs. */
  async function perform<Found>(question: Question, show: (found: Found) => string): Promise<void> {
    running?.cancel();
    const task = startTask<Found>(address, question, onProgress);
    running = task;
    const toggle = (isRunning: boolean): void => {
      bar.hidden = !isRunning;
      stop.hidden = !isRunning;
      go.disabled = isRunning || files === undefined;
    };
    problem.hidden = true;
    toggle(true);
    try {
      status.textContent = show(await task.result);
    } catch (error) {
      if (running !== task) return;
      status.textContent = error instanceof Cancelled ? "Cancelled. Nothing was kept." : "";
      if (!(error instanceof Cancelled)) {
        problem.textContent = error instanceof Error ? error.message : String(error);
        problem.hidden = false;
      }
    } finally {
      if (running === task) toggle(false);
    }
  }

  /** The float32 model that the Tag page's INT8 model was made from. */
  const defaultTagger = async (): Promise<Files> => {
    const bytes = await (await fetch(posFloat32)).arrayBuffer();
    return new Map([["pos-en.onnx.br", new File([bytes], "pos-en.onnx.br")]]);
  };
  const take = async (taken: Files): Promise<void> => {
    if (taken.size === 0) return;
    files = undefined;
    inspected.replaceChildren();
    result.replaceChildren();
    await perform<Inspected>({ kind: "inspect", files: taken }, (found) => {
      files = taken;
      inspected.replaceChildren(inspectedView(found));
      return "The model was read.";
    });
  };
  const quantize = async (): Promise<void> => {
    if (files === undefined) return;
    result.replaceChildren();
    const chosen = mode.value as Mode;
    const [name = "model"] = files.keys();
    const question: Question = { kind: "quantize", files, mode: chosen, text: text.value };
    await perform<Result>(question, (found) => {
      result.replaceChildren(resultView(name, chosen, found));
      return "Done.";
    });
  };

  file.addEventListener("change", () => void take(chosenFiles(file.files)));
  folder.addEventListener("change", () => void take(chosenFiles(folder.files)));
  drop.addEventListener("dragover", (event) => event.preventDefault());
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer !== null) void droppedFiles(event.dataTransfer).then(take);
  });
  mode.addEventListener("change", () => changeState({ mode: mode.value }));
  text.addEventListener("input", () => changeState({ calibration: text.value || undefined }));
  go.addEventListener("click", () => void quantize());
  stop.addEventListener("click", () => running?.cancel());
  return () => running?.cancel();
}
