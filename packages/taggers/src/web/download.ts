import { TaggerError } from "../tagger-error.js";

/** How far a download is. */
export interface DownloadProgress {
  /** The address. */
  readonly url: string;
  /** Bytes so far: of the file as it was sent, or unpacked where the server packed it for the way. */
  readonly loaded: number;
  /** Bytes in all; undefined where the server does not say. */
  readonly total: number | undefined;
  /** Whether the file was kept from an earlier download. */
  readonly isCached: boolean;
}

/** How files are downloaded. */
export interface DownloadOptions {
  /** Called as bytes come, and once at the end of each file. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Ends the download, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Keeps files in the browser's Cache API, so that the next visit downloads nothing and works offline. `use` (default)
   * asks the server only for what is not kept; `reload` asks for all and keeps it; `none` neither looks nor keeps.
   * Where there is no Cache API (Node, pages that are not secure) nothing is kept.
   */
  readonly cache?: "use" | "reload" | "none" | undefined;
  /** What to ask servers with, for headers of your own. Default: the platform's. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** A file that was downloaded, or kept. */
export interface Download {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether the browser has taken off a compression already, as far as the server tells. */
  readonly isDecoded: boolean;
  /** Keeps the file: for when it has proved to be good. */
  keep(): Promise<void>;
}

/** Name of the cache that files are kept in. */
export const cacheName = "nasty-taggers";

/**
 * Downloads a file.
 *
 * @returns undefined where the server says that there is none (404, 410)
 * @throws TaggerError `download` (no answer, or another answer than the file); the signal's reason
 */
export async function download(url: string, options: DownloadOptions): Promise<Download | undefined> {
  const { signal, cache = "use", onProgress } = options;
  signal?.throwIfAborted();
  const store = cache === "none" ? undefined : await openStore(url);
  const kept = cache === "use" ? await store?.match(url).catch(() => undefined) : undefined;
  if (kept !== undefined) {
    const bytes = new Uint8Array(await kept.arrayBuffer());
    onProgress?.({ url, loaded: bytes.length, total: bytes.length, isCached: true });
    return { bytes, isDecoded: kept.headers.has(decodedHeader), keep: async () => {} };
  }
  const response = await ask(url, options);
  if (response === undefined) return undefined;
  // What a server packs for the way is unpacked by the browser: its Content-Length says nothing of what comes.
  const isDecoded = response.headers.get("content-encoding") !== null;
  const length = Number(response.headers.get("content-length") ?? Number.NaN);
  const total = isDecoded || !(length > 0) ? undefined : length;
  const bytes = await body(response, { url, total, options });
  return {
    bytes,
    isDecoded,
    async keep() {
      const headers = isDecoded ? { [decodedHeader]: "1" } : {};
      // A full disk, or a page that may not store: the file is downloaded again next time.
      await store?.put(url, new Response(bytes, { headers })).catch(() => undefined);
    },
  };
}

const decodedHeader = "x-nasty-decoded";

/** What is used of the Cache API. */
interface Store {
  match(url: string): Promise<Response | undefined>;
  put(url: string, response: Response): Promise<void>;
}

/** The cache takes what comes by HTTP alone. */
async function openStore(url: string): Promise<Store | undefined> {
  const { caches } = globalThis as { caches?: { open(name: string): Promise<Store> } };
  return /^https?:/.test(url) ? caches?.open(cacheName).catch(() => undefined) : undefined;
}

async function ask(
  url: string,
  { fetch = globalThis.fetch, signal }: DownloadOptions,
): Promise<Response | undefined> {
  let response: Response;
  try {
    response = await fetch(url, signal === undefined ? {} : { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    throw refuse(url, "an answer", `none (${(cause as Error).message})`, cause);
  }
  if (response.ok) return response;
  await response.body?.cancel();
  if (response.status === 404 || response.status === 410) return undefined;
  throw refuse(url, "the file", `status ${response.status} ${response.statusText}`.trim());
}

interface Coming {
  readonly url: string;
  readonly total: number | undefined;
  readonly options: DownloadOptions;
}

async function body(
  response: Response,
  { url, total, options: { onProgress, signal } }: Coming,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  if (reader === undefined) return new Uint8Array(await response.arrayBuffer());
  const parts: Uint8Array[] = [];
  let loaded = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      signal?.throwIfAborted();
      parts.push(part.value);
      loaded += part.value.length;
      onProgress?.({ url, loaded, total, isCached: false });
    }
  } catch (cause) {
    await reader.cancel().catch(() => undefined);
    signal?.throwIfAborted();
    throw refuse(url, "the whole file", `${loaded} bytes, then ${(cause as Error).message}`, cause);
  }
  if (total !== undefined && loaded !== total) throw refuse(url, `${total} bytes`, String(loaded));
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function refuse(url: string, expected: string, got: string, cause?: unknown): TaggerError {
  return new TaggerError("download", `openTagger: ${url}: download: expected ${expected}, got ${got}`, {
    path: url,
    ...(cause === undefined ? {} : { cause }),
  });
}
