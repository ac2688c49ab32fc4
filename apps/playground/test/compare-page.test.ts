import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { nerInt8, posFastInt8, posInt8, sampleConllu } from "@nasty/model-en";
import { flips, segmentText } from "@nasty/taggers";
import { openTagger } from "@nasty/taggers/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasBrowser, type OpenedSite, openSite } from "./browser.js";
import { expectAccessible, expectFits } from "./look.js";

/** Enough sentences for the two models to disagree on some. */
const text = readFileSync(sampleConllu, "utf8")
  .split("\n")
  .flatMap((line) => (line.startsWith("# text = ") ? [line.slice("# text = ".length)] : []))
  .slice(0, 40)
  .join("\n\n");

describe.skipIf(!hasBrowser)("the page that compares (needs a browser)", () => {
  let site: OpenedSite;
  beforeAll(async () => {
    site = await openSite();
  }, 120_000);
  afterAll(() => site?.close());

  async function labelsOf(path: string): Promise<(readonly string[])[]> {
    const tagger = await openTagger(path);
    const sentences = segmentText(text).map(({ words }) => words.map(({ form }) => form));
    const all: (readonly string[])[] = [];
    for await (const labels of tagger.tag(sentences, { batchSize: 1 })) all.push(labels);
    await tagger.close();
    return all;
  }

  test("finds the flips that Node finds, with sizes and times", async () => {
    const [a, b] = [fileURLToPath(posInt8), fileURLToPath(posFastInt8)];
    const { page, faults } = await site.page("#page=compare");
    await page.fill("#text", text);
    await page.click("#compare");
    await page.locator("[role=status]", { hasText: "Choose two models." }).waitFor();
    await page.setInputFiles("#first", a);
    await page.setInputFiles("#second", b);
    await page.click("#compare");
    await page.locator("#comparison").waitFor();
    const before = await labelsOf(a);
    const expected = flips(before, await labelsOf(b)).length;
    expect(expected).toBeGreaterThan(0);
    expect(await page.textContent("#flips")).toBe(`${expected} of ${before.flat().length} labels differ.`);
    // The second file is compressed; what it holds is what is compared.
    const sizes = [readFileSync(a), gunzipSync(readFileSync(b))].map(({ length }) =>
      (length / 1e6).toFixed(2),
    );
    expect(await page.textContent("[aria-label=Models]")).toMatch(
      new RegExp(`${sizes[0]} MB[\\d.]+ ms.*${sizes[1]} MB[\\d.]+ ms`, "s"),
    );
    await expectFits(page);
    await expectAccessible(page);
    expect(faults).toEqual([]);
    await page.close();
  });

  test("cannot compare a file that is no model, and says so", async () => {
    const { page } = await site.page("#page=compare&comparison=Time+flies.");
    await page.setInputFiles("#first", fileURLToPath(nerInt8));
    await page.setInputFiles("#second", { name: "no.onnx", mimeType: "", buffer: Buffer.from("no model") });
    await page.click("#compare");
    await page.locator("[role=alert]", { hasText: /no\.onnx: .*expected an ONNX model/ }).waitFor();
    await page.close();
  });
});
