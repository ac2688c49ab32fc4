import { expect, test } from "vitest";
import { operation } from "../../src/schema/operation.js";
import { flag, one, switched } from "../../src/schema/option.js";
import { settingsOf } from "../../src/schema/settings-of.js";
import { positiveInteger } from "../../src/schema/values.js";

const made = operation({
  name: "make",
  summary: "make it",
  options: {
    fast: switched(flag("--fast", "hurry"), {
      steps: one("--fast-steps <n>", positiveInteger, "steps at once"),
    }),
  },
  examples: [],
});

test("a group is turned on by true, or by any of its options", () => {
  expect(settingsOf(made, {})).toEqual({});
  expect(settingsOf(made, { fast: false })).toEqual({ fast: false });
  expect(settingsOf(made, { fast: true })).toEqual({ fast: true });
  expect(settingsOf(made, { fast: {} })).toEqual({ fast: true });
  expect(settingsOf(made, { fast: { steps: 3 } })).toEqual({ fast: true, fastSteps: 3 });
});

test("anything else is refused", () => {
  const refused = (fast: unknown) => expect(() => settingsOf(made, { fast }));
  refused(1).toThrow("make: fast: expected true, false or an object (hurry), got 1");
  refused([]).toThrow("got a list");
  refused(null).toThrow("got null");
  refused({ step: 3 }).toThrow("make: fast.step: expected one of steps, got an unknown option");
  refused({ steps: 0 }).toThrow("make: fast.steps: expected a whole number of 1 or more, got 0");
});
