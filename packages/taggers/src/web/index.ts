export type { DownloadOptions, DownloadProgress } from "./download.js";
export {
  type LoadedModel,
  type LoadedTagger,
  loadModel,
  type LoadTaggerOptions,
  loadTagger,
  openLoaded,
  openTagger,
  type OpenWebTaggerOptions,
  type WebTagger,
} from "./open-tagger.js";
export { openTaggerInWorker, type OpenInWorkerOptions, type WorkerLike } from "./worker/client.js";
export { serveTaggers, type WorkerScope } from "./worker/server.js";
export type { TaggerSource } from "./source.js";
