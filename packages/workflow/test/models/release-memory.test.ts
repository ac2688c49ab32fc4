import { expect, test } from "vitest";
import { releaseMemory } from "../../src/models/release-memory.js";

const size = 2 ** 27;
const held = (): number => process.memoryUsage().arrayBuffers;

test("large arrays are gone afterwards, even if something holds them for a moment", async () => {
  const before = held();
  for (const milliseconds of [0, 30]) {
    // Only the timer knows the array.
    const use = (array: Uint8Array): number => array.length;
    setTimeout(use, milliseconds, new Uint8Array(size));
    expect(held() - before).toBeGreaterThan(size / 2);
    await releaseMemory({ expectedBytes: size });
    expect(held() - before).toBeLessThan(size / 2);
  }
});

test("arrays that are still used are left, and not waited for without end", async () => {
  const array = new Uint8Array(size);
  await releaseMemory({ expectedBytes: size });
  expect(array.length).toBe(size);
});
