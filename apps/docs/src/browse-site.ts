import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { chromium, errors, type Page } from "playwright-core";

/** Where Debian's Chromium is; `CHROMIUM` names another. */
export const browser = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

// The site has no server here: this host exists nowhere, and its answers are the files.
const host = "http://site.invalid";

/**
 * Opens pages of a built site in Chromium and searches for a word.
 *
 * @param site folder of the built files
 * @param paths pages to open, from the root of the site: `packages/core.html`
 * @param word what is typed into the search; at least one page must have it
 * @returns what was wrong, one sentence each: an error in a page, a request to another host, a search that found
 *   nothing
 */
export async function browseSite(site: string, paths: readonly string[], word: string): Promise<string[]> {
  const chrome = await chromium.launch({ executablePath: browser, args: ["--no-sandbox"] });
  try {
    const page = await chrome.newPage();
    const faults: string[] = [];
    let current = "";
    page.on("pageerror", ({ message }) => faults.push(`${current}: page: expected no error, got ${message}`));
    page.on("console", (message) => {
      if (message.type() === "error")
        faults.push(`${current}: page: expected no error, got ${message.text()}`);
    });
    await page.route("**/*", async (route) => {
      const url = new URL(route.request().url());
      const file = join(site, decodeURI(url.pathname));
      if (url.origin === host && existsSync(file) && statSync(file).isFile())
        return route.fulfill({ path: file });
      faults.push(`${current}: request: expected a file of the site, got ${url.href}`);
      return route.abort();
    });
    for (current of paths) await page.goto(`${host}/${current}`, { waitUntil: "networkidle" });
    if (!(await finds(page, word))) faults.push(`${current}: search for "${word}": expected pages, got none`);
    return faults;
  } finally {
    await chrome.close();
  }
}

async function finds(page: Page, word: string): Promise<boolean> {
  const timeout = 20_000;
  try {
    await page.locator(".VPNavBarSearch button").first().click({ timeout });
    await page.locator("#localsearch-input").fill(word, { timeout });
    await page.locator(".VPLocalSearchBox .result").first().waitFor({ timeout });
    return true;
  } catch (error) {
    if (error instanceof errors.TimeoutError) return false;
    throw error;
  }
}
