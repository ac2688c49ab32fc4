import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { posInt8 } from "@nasty/model-en";
import { tagText } from "@nasty/taggers";
import { openTagger } from "@nasty/taggers/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasBrowser, type OpenedSite, openSite } from "./browser.js";
import { expectAccessible, expectFits } from "./look.js";

const text = "Time flies like an arrow. Angela Merkel didn't visit New York, said the BBC.";

describe.skipIf(!hasBrowser)("the page that tags (needs a browser)", () => {
  let site: OpenedSite;
  beforeAll(async () => {
    site = await openSite();
  }, 120_000);
  afterAll(() => site?.close());

  test("says of each word what Node says, with offsets and entities, and asks nobody else", async () => {
    const { page, faults, hosts } = await site.page(`#page=tag&text=${encodeURIComponent(text)}`);
    await page.waitForSelector("#tagged");
    await page.click("summary");
    const rows = (await page.$$eval("tbody tr", (all) =>
      all.map((row) => [...row.querySelectorAll("td")].map((cell) => cell.textContent)),
    )) as string[][];
    const tagger = await openTagger(fileURLToPath(posInt8));
    const expected: string[][] = [];
    for await (const { words } of tagText(tagger, text)) {
      for (const { form, start, end, label } of words) expected.push([form, `${start}`, `${end}`, label]);
    }
    await tagger.close();
    expect(rows.map((cells) => cells.slice(0, 4))).toEqual(expected);
    expect(rows.filter(([, , , , entity]) => entity !== "").map(([form]) => form)).toEqual(
      expect.arrayContaining(["Angela", "Merkel", "New", "York"]),
    );
    const figures = /^INT8: 2\.\d\d MB, 1\d words, [\d,]+ words\/s$/;
    await page.locator("[role=status]", { hasText: figures }).waitFor();
    expect(faults).toEqual([]);
    expect([...hosts]).toEqual([new URL(site.address).host]);
    await page.close();
  });

  test("sets float32 beside INT8, keeps its state in the address, and tags what is typed", async () => {
    const { page, faults } = await site.page();
    await page.waitForSelector("#tagged");
    await page.check("#compare");
    await page.locator("[role=status]", { hasText: /float32: 7\.\d\d MB/ }).waitFor();
    expect(await page.textContent("[role=status]")).toMatch(/no word differs|\d+ words? differ/);
    await page.fill("#text", "She left.");
    await page.locator("#tagged", { hasText: /^ShePRON/ }).waitFor();
    const state = new URLSearchParams(new URL(page.url()).hash.slice(1));
    expect(Object.fromEntries(state)).toEqual({ compare: "1", text: "She left." });
    await page.reload();
    await page.waitForSelector("#tagged");
    expect(await page.inputValue("#text")).toBe("She left.");
    expect(await page.isChecked("#compare")).toBe(true);
    expect(faults).toEqual([]);
    await page.close();
  });

  test("fits a phone, a tablet and a desk, and reads well, light and dark", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const { page } = await site.page("", { colorScheme });
      await page.waitForSelector("#tagged");
      await page.click("summary");
      await expectFits(page);
      await expectAccessible(page);
      await page.close();
    }
  });

  test("lets nothing out: the page may ask no other host, and its workers have its policy", async () => {
    const { page } = await site.page();
    await page.waitForSelector("#tagged");
    const ask = `(async () => {
      const violation = new Promise((resolve) =>
        addEventListener("securitypolicyviolation", ({ effectiveDirective }) => resolve(effectiveDirective)));
      const answer = await fetch("http://localhost:9/").then(() => "asked", () => "refused");
      return [answer, await violation];
    })()`;
    expect(await page.evaluate(ask)).toEqual(["refused", "connect-src"]);
    expect(await page.workers()[0]?.evaluate(ask)).toEqual(["refused", "connect-src"]);
    await page.close();
  });

  test("loads at most 150 kB of code beside the runtime", () => {
    const folder = join(site.folder, "assets");
    const names = readdirSync(folder).filter((name) => name.endsWith(".js"));
    const sizeOf = (name: string): number => gzipSync(readFileSync(join(folder, name))).length;
    // Each worker has a portable engine of its own, and what it loads for some models only.
    const isEngine = (name: string): boolean => name.startsWith("dist-");
    const isAside = (name: string): boolean =>
      /^(ort|brotli|decompress|transformer-tagger|quantize|compare)/.test(name) || isEngine(name);
    const code = names.filter((name) => !isAside(name));
    expect(code.length).toBeGreaterThan(2);
    expect(code.reduce((sum, name) => sum + sizeOf(name), 0)).toBeLessThanOrEqual(150_000);
    const engines = names.filter(isEngine);
    expect(engines.length).toBeGreaterThan(0);
    expect(Math.max(...engines.map(sizeOf))).toBeLessThanOrEqual(40_000);
  });
});
