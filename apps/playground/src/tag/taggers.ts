import { nerInt8, posInt8 } from "@nasty/model-en";
import { nerFloat32, posFloat32 } from "@nasty/model-en-float32";
import { openTaggerInWorker, type WebTagger } from "@nasty/taggers/web";
import { ownWorker } from "../page/own-worker.js";
// vite makes the export.
// oxlint-disable-next-line import/default
import address from "./tagger-worker.js?worker&url";

/** The default models, in both precisions. */
export const models = {
  pos: { int8: posInt8, float32: posFloat32 },
  ner: { int8: nerInt8, float32: nerFloat32 },
} as const;

export type Task = keyof typeof models;
export type Precision = keyof (typeof models)["pos"];

/** The taggers of a page: each is opened when it is first asked for, all in one worker. */
export interface Taggers {
  open(task: Task, precision: Precision): Promise<WebTagger>;
  end(): void;
}

/** @param onProgress bytes that are there and that are to come, of all models that were asked for */
export function startTaggers(onProgress: (loaded: number, total: number) => void): Taggers {
  const worker = ownWorker(address);
  const opened = new Map<string, Promise<WebTagger>>();
  const loads = new Map<string, { readonly loaded: number; readonly total: number }>();
  const open = (task: Task, precision: Precision): Promise<WebTagger> =>
    openTaggerInWorker(worker, models[task][precision], {
      onProgress: ({ url, loaded, total = loaded }) => {
        loads.set(url, { loaded, total });
        const all = [...loads.values()];
        onProgress(
          all.reduce((sum, one) => sum + one.loaded, 0),
          all.reduce((sum, one) => sum + one.total, 0),
        );
      },
    });
  return {
    open(task, precision) {
      const key = `${task} ${precision}`;
      const known = opened.get(key) ?? open(task, precision);
      opened.set(key, known);
      return known;
    },
    end: () => worker.terminate(),
  };
}
