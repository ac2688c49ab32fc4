import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { posFloat32 } from "@nasty/model-en-float32";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasBrowser, type OpenedSite, openSite } from "./browser.js";
import { expectAccessible, expectFits } from "./look.js";

const nasty = fileURLToPath(new URL("../../cli/bin/nasty.js", import.meta.url));
const text =
  "Time flies like an arrow. She didn't leave before noon. The quick brown fox jumps over 13 lazy dogs.\n";

describe.skipIf(!hasBrowser)("the page that quantizes (needs a browser)", () => {
  let site: OpenedSite;
  let folder: string;
  let model: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "nasty-page-"));
    model = join(folder, "pos.onnx.br");
    copyFileSync(posFloat32, model);
    writeFileSync(join(folder, "text.txt"), text);
    site = await openSite();
  }, 120_000);
  afterAll(async () => {
    await site?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What the command writes, on the runtime that the page has. */
  function inNode(...options: string[]): Buffer {
    const output = join(folder, "node.onnx");
    execFileSync(
      process.execPath,
      [nasty, "quantize", "--model", model, "--output", output, "--quiet", ...options],
      {
        env: { ...process.env, NASTY_ENGINE: "wasm" },
        stdio: "pipe",
      },
    );
    return readFileSync(output);
  }

  async function download(page: Page): Promise<Buffer> {
    await page.locator("#download").waitFor();
    const [taken] = await Promise.all([page.waitForEvent("download"), page.click("#download")]);
    return readFileSync(await taken.path());
  }

  test("says what is in a model, and writes the bytes that the command writes, dynamic and INT4", async () => {
    const { page, faults, hosts } = await site.page("#page=quantize");
    await page.setInputFiles("#file", model);
    await page.locator("#inspected").waitFor();
    expect(await page.textContent("#inspected")).toMatch(
      /7\.\d\d MB, 1,\d{3},\d{3} parameters .* tags with 17 labels/s,
    );
    await page.click("#quantize");
    expect((await download(page)).equals(inNode("--mode", "dynamic"))).toBe(true);
    expect(await page.locator("#result svg rect").count()).toBeGreaterThan(3);
    await page.selectOption("#mode", "int4");
    await page.click("#quantize");
    await page.locator("#result", { hasText: "_int4.onnx" }).waitFor();
    expect((await download(page)).equals(inNode("--mode", "int4"))).toBe(true);
    expect(faults).toEqual([]);
    expect([...hosts]).toEqual([new URL(site.address).host]);
    await page.close();
  });

  test("calibrates on the text as the command does, and says which labels changed on it", async () => {
    const { page } = await site.page(`#page=quantize&mode=static&calibration=${encodeURIComponent(text)}`);
    await page.setInputFiles("#file", model);
    await page.locator("#inspected").waitFor();
    await page.click("#quantize");
    const bytes = await download(page);
    expect(bytes.equals(inNode("--mode", "static", "--calibration", join(folder, "text.txt")))).toBe(true);
    expect(await page.textContent("#flips")).toMatch(/^\d+ of 2\d labels changed\.$/);
    expect(await page.textContent("[aria-label='Drift of outputs']")).toMatch(/logits(?:0\.99|1\.0)\d+/);
    await page.fill("#calibration", "");
    await page.click("#quantize");
    await page.locator("[role=alert]", { hasText: "expected at least one sentence" }).waitFor();
    await page.close();
  });

  test("needs nothing at hand: a tagger and a text are there; changed labels stand in their sentences", async () => {
    const { page, faults } = await site.page("#page=quantize");
    await page.click("#ready");
    await page.locator("#inspected", { hasText: "tags with 17 labels" }).waitFor();
    await page.click("text=Use the English sample");
    const calibration = (): Promise<string> => page.inputValue("#calibration");
    await expect.poll(async () => (await calibration()).length, { timeout: 20_000 }).toBeGreaterThan(5000);
    // Four bits change labels of a text of this size; eight need not.
    await page.selectOption("#mode", "int4");
    await page.click("#quantize");
    await page.locator("#result", { hasText: "_int4.onnx" }).waitFor();
    const [, changed] = /^(\d+) of \d{4} labels changed/.exec((await page.textContent("#flips")) ?? "") ?? [];
    expect(Number(changed)).toBeGreaterThan(0);
    expect(await page.locator("mark").count()).toBe(Number(changed));
    const drop = `(() => {
      const data = new DataTransfer();
      data.items.add(new File(["Dropped words."], "text.txt"));
      document.querySelector("#calibration").dispatchEvent(new DragEvent("drop", { dataTransfer: data }));
    })()`;
    await page.evaluate(drop);
    await expect.poll(calibration).toBe("Dropped words.");
    expect(faults).toEqual([]);
    await page.close();
  });

  test("is cancelled, and works on", async () => {
    const { page } = await site.page("#page=quantize&mode=static");
    await page.setInputFiles("#file", model);
    await page.locator("#inspected").waitFor();
    await page.fill("#calibration", text.repeat(300));
    await page.click("#quantize");
    await page.locator("[role=status]", { hasText: /^Calibrating: \d+ of/ }).waitFor();
    expect(page.workers()).toHaveLength(1);
    await page.click("#cancel");
    await page.locator("[role=status]", { hasText: "Cancelled" }).waitFor();
    expect(await page.locator("#result").count()).toBe(0);
    await expect.poll(() => page.workers().length, { timeout: 20_000 }).toBe(0);
    await page.fill("#calibration", text);
    await page.click("#quantize");
    await page.locator("#download").waitFor();
    await page.close();
  });

  test("says of a broken file what the library says", async () => {
    const { page } = await site.page("#page=quantize");
    const broken = join(folder, "broken.onnx");
    writeFileSync(broken, readFileSync(posFloat32).subarray(0, 5000));
    await page.setInputFiles("#file", broken);
    await page.locator("[role=alert]", { hasText: /broken\.onnx: .*expected .*, got / }).waitFor();
    expect(await page.isDisabled("#quantize")).toBe(true);
    const empty = join(folder, "folder");
    mkdirSync(empty, { recursive: true });
    writeFileSync(join(empty, "config.json"), "{}");
    await page.setInputFiles("#folder", empty);
    await page
      .locator("[role=alert]", { hasText: "expected onnx/model.onnx or model.onnx, got neither" })
      .waitFor();
    await page.close();
  });

  test("fits a phone, a tablet and a desk, and reads well, with a result on it", async () => {
    const { page } = await site.page("#page=quantize", { colorScheme: "dark" });
    await page.setInputFiles("#file", model);
    await page.locator("#inspected").waitFor();
    await page.click("#inspected summary");
    await page.click("#quantize");
    await page.locator("#result").waitFor();
    await expectFits(page);
    await expectAccessible(page);
    await page.close();
  });
});
