// Debian's Chromium, or the one that CHROMIUM names.
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";

const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser"].find(
  (path) => path !== undefined && existsSync(path),
);

/** Why there is no browser; undefined where there is one. */
export const noChromium =
  executablePath === undefined
    ? "chromium is not installed (on Debian: apt-get install chromium)"
    : undefined;

/** Opens a page, at an address or with a script alone, and gives what becomes of `globalThis.digest` there. */
export async function digestInChromium({ address, content }) {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const { chromium } = createRequire(join(root, "apps/playground/package.json"))("playwright-core");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const page = await browser.newPage();
    const failed = new Promise((_, reject) => page.once("pageerror", reject));
    failed.catch(() => undefined);
    if (address !== undefined) await page.goto(address);
    if (content !== undefined) await page.addScriptTag({ content, type: "module" });
    await Promise.race([page.waitForFunction("globalThis.digest !== undefined"), failed]);
    return { version: browser.version(), digest: await page.evaluate("globalThis.digest") };
  } finally {
    await browser.close();
  }
}

const types = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript" };

/** Serves the files of a folder while `use` is under way, which gets the address. */
export async function whileServed(folder, use) {
  const server = createServer((request, response) => {
    const path = normalize(join(folder, decodeURIComponent(new URL(request.url, "http://here").pathname)));
    if (!path.startsWith(folder + sep) || !existsSync(path)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": types[extname(path)] ?? "application/octet-stream" });
    response.end(readFileSync(path));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await use(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
