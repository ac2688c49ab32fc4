import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A server of files by their paths, and what was asked of it. */
export interface ServedFolder {
  readonly base: string;
  readonly asked: string[];
  close(): Promise<void>;
}

/** How one file is served, where it is not served as it is. */
export interface Served {
  readonly bytes: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the connection after so many bytes. */
  readonly cutAt?: number;
}

/** Serves files of memory on this machine; whatever else is asked for is not found. */
export async function serveFolder(
  files: Readonly<Record<string, Uint8Array | string | Served>>,
): Promise<ServedFolder> {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? "").replace(/\?.*$/, "")).slice(1);
    asked.push(path);
    const file = Object.hasOwn(files, path) ? files[path] : undefined;
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    const {
      bytes,
      headers = {},
      cutAt,
    }: Served = typeof file === "string" || file instanceof Uint8Array ? { bytes: Buffer.from(file) } : file;
    response.writeHead(200, { "content-length": bytes.length, ...headers });
    if (cutAt === undefined) response.end(bytes);
    else response.write(bytes.subarray(0, cutAt), () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
