import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

/**
 * Nothing that axe calls serious or critical. The page's policy allows no foreign script, so that axe comes by the
 * debugger.
 */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  const violations = (await page.evaluate(
    "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)",
  )) as Violation[];
  const serious = violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  expect(serious).toEqual([]);
}

/** No horizontal scroll on a phone, a tablet and a desk. */
export async function expectFits(page: Page): Promise<void> {
  for (const width of [390, 768, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    const scroll = await page.evaluate("document.documentElement.scrollWidth");
    expect(scroll, `${width} px`).toBeLessThanOrEqual(width);
  }
}
