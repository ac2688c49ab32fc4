import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "vite";

const app = fileURLToPath(new URL("..", import.meta.url));

/** Debian's Chromium, or the one that the variable names. */
const executablePath = [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser"].find(
  (path) => path !== undefined && existsSync(path),
);

export const hasBrowser = executablePath !== undefined;

if (!hasBrowser) {
  process.stderr.write(
    "apps/playground: the tests of the page need a browser, and there is none: they are left out. `apt-get install chromium`, or name one in CHROMIUM.\n",
  );
}

const types: Readonly<Record<string, string>> = {
  html: "text/html",
  js: "text/javascript",
  css: "text/css",
  wasm: "application/wasm",
};

/** The built site on a server of its own, with a browser. */
export interface OpenedSite {
  readonly address: string;
  /** Where the built files are. */
  readonly folder: string;
  readonly browser: Browser;
  /** Opens a page, and notes what it does wrong. */
  page(hash?: string, options?: Parameters<Browser["newPage"]>[0]): Promise<SitePage>;
  close(): Promise<void>;
}

export interface SitePage {
  readonly page: Page;
  /** Errors, and messages of the console that are errors. */
  readonly faults: string[];
  /** Hosts that were asked for something. */
  readonly hosts: Set<string>;
}

/** Which page is built, and how the browser is started. */
export interface SiteOptions {
  /** Folder of its `index.html`. Default: the playground. */
  readonly root?: string;
  /** Flags of the browser beside those of every test. Default: no GPU. */
  readonly flags?: readonly string[];
}

/** Builds the site and serves it. */
export async function openSite({
  root = app,
  flags = ["--disable-gpu"],
}: SiteOptions = {}): Promise<OpenedSite> {
  // Each test file has a site of its own: they run beside each other.
  const folder = mkdtempSync(join(tmpdir(), "nasty-site-"));
  const outDir = { outDir: folder, emptyOutDir: true };
  await build({ configFile: join(app, "vite.config.ts"), root, logLevel: "error", build: outDir });
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent((request.url ?? "/").replace(/[?#].*$/, "")));
    const file = join(folder, path === "/" ? "index.html" : path);
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    const type = types[file.split(".").at(-1) ?? ""] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type }).end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const browser = await chromium.launch({
    executablePath: executablePath as string,
    args: ["--no-sandbox", ...flags],
  });
  return {
    address,
    folder,
    browser,
    async page(hash = "", options = {}) {
      const page = await browser.newPage(options);
      const faults: string[] = [];
      const hosts = new Set<string>();
      page.on("pageerror", (error) => faults.push(error.message));
      page.on("console", (message) => {
        if (message.type() === "error") faults.push(message.text());
      });
      page.on("request", (request) => {
        const { protocol, host } = new URL(request.url());
        if (/^https?:$/.test(protocol)) hosts.add(host);
      });
      await page.goto(`${address}${hash}`);
      return { page, faults, hosts };
    },
    async close() {
      await browser.close();
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
