import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { makeTemporaryFolder } from "@nasty/formats/archive/node";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
// @boundaries-ignore the tiny models are those of the command's tests
import { conllu } from "../../../../apps/cli/test/tiny-corpus.js";
// @boundaries-ignore the tiny models are those of the command's tests
import { writeTinyDirectory } from "../../../../apps/cli/test/tiny-tagger.js";
import { quantize } from "../../src/quantization/quantize.js";

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const hasBrowser = existsSync(executablePath);
if (!hasBrowser) {
  process.stderr.write(
    `The layout of reports is not tested: no browser at ${executablePath}. Install it (apt-get install chromium) or name one in CHROMIUM.\n`,
  );
}

/** What is wider than the page, by its tag and text. */
declare const document: {
  readonly documentElement: { readonly scrollWidth: number };
  querySelectorAll(selector: string): Iterable<{
    readonly tagName: string;
    readonly textContent: string;
    getBoundingClientRect(): { readonly left: number; readonly right: number; readonly height: number };
  }>;
};
declare const getComputedStyle: (element: unknown) => {
  readonly backgroundColor: string;
  readonly fontSize: string;
};

describe.skipIf(!hasBrowser)("a report of a gated static quantization in Chromium", () => {
  let folder: string;
  let remove: () => Promise<void>;
  let browser: Awaited<ReturnType<typeof chromium.launch>>;
  let url: string;
  beforeAll(async () => {
    ({ path: folder, remove } = await makeTemporaryFolder("nasty-report-test"));
    const path = (name: string): string => join(folder, name);
    await writeTinyDirectory(path("fragile"), { fragile: true });
    const long = `The ${"cat".repeat(200)} sat .`;
    await writeFile(path("dev.conllu"), conllu([long, "The cat sat on a big house ."]));
    await quantize(path("fragile"), {
      calibration: path("dev.conllu"),
      sensitivity: true,
      gate: { on: path("dev.conllu"), maxLoss: 0.99, fallback: false },
      output: path(`${"q".repeat(120)}.onnx`),
      report: path("report.html"),
    });
    url = pathToFileURL(path("report.html")).href;
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  });
  afterAll(async () => {
    await browser.close();
    await remove();
  });

  const opened = async (width: number, colorScheme: "light" | "dark" = "light") => {
    const page = await browser.newPage({ viewport: { width, height: 844 }, colorScheme });
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("request", (request) => {
      if (request.url() !== url) complaints.push(request.url());
    });
    await page.goto(url);
    return { page, complaints };
  };

  test.each([390, 768, 1280])("at %i px nothing is wider than the page", async (width) => {
    const { page, complaints } = await opened(width);
    const found = await page.evaluate(() => ({
      scrollWidth: document.documentElement.scrollWidth,
      wide: [...document.querySelectorAll("body *:not(svg *)")]
        .filter((element) => {
          const { left, right } = element.getBoundingClientRect();
          return left < 0 || right > document.documentElement.scrollWidth;
        })
        .map(({ tagName, textContent }) => `${tagName} ${textContent.slice(0, 40)}`),
      plots: [...document.querySelectorAll("svg")].map((plot) => plot.getBoundingClientRect().height),
    }));
    expect(found).toMatchObject({ scrollWidth: width, wide: [] });
    expect(found.plots.length).toBeGreaterThan(6);
    for (const height of found.plots) expect(height).toBeGreaterThan(40);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("plots are not shrunk on a phone, so that their text can be read", async () => {
    const { page } = await opened(390);
    const widths = await page.evaluate(() =>
      [...document.querySelectorAll("svg")].map((plot) => {
        const { left, right } = plot.getBoundingClientRect();
        return right - left;
      }),
    );
    for (const width of widths) expect(width).toBe(358);
    await page.close();
  });

  test("dark where the reader is, light on paper", async () => {
    const { page } = await opened(800, "dark");
    const background = () =>
      page.evaluate(() => getComputedStyle([...document.querySelectorAll("body")][0]).backgroundColor);
    expect(await background()).toBe("rgb(20, 23, 27)");
    await page.emulateMedia({ media: "print" });
    expect(await background()).toBe("rgb(255, 255, 255)");
    await page.close();
  });
});
