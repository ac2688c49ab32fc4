import { expect, test } from "vitest";
import { namedId, readLabelIndex, readWordIndex } from "../../src/index.js";

test("lists and objects, with places that are no word's", () => {
  expect(readWordIndex(["<PAD>", "a", "b"], "w")).toEqual(["<PAD>", "a", "b"]);
  expect(readWordIndex({ b: 3, a: 1 }, "w")).toEqual(["", "a", "", "b"]);
  expect(readWordIndex(["", "a"], "w")).toEqual(["", "a"]);
  expect(readLabelIndex({ NOUN: 1, DET: 0 }, "l")).toEqual(["DET", "NOUN"]);
  expect(readLabelIndex(["O", "B-PER"], "l")).toEqual(["O", "B-PER"]);
});

test("the ids that a list names itself", () => {
  const words = readWordIndex({ "<PAD>": 0, "<OOV>": 1, a: 2 }, "w");
  expect(namedId(words, "unknown")).toBe(1);
  expect(namedId(words, "padding")).toBe(0);
  expect(namedId(["", "a"], "unknown")).toBeUndefined();
});

test.each<[unknown, string]>([
  ["text", "read w.json: content: expected a list of words, or an object with an id for each, got string"],
  [null, "read w.json: content: expected a list of words, or an object with an id for each, got object"],
  [["a", 1], "read w.json: place 1: expected a text, got 1"],
  [{ a: 1, b: 1 }, 'read w.json: id 1: expected one word, got "a" and "b"'],
  [{ a: -1 }, 'read w.json: "a": expected an id from 0 to 16777215, got -1'],
  [{ a: 1e9 }, 'read w.json: "a": expected an id from 0 to 16777215, got 1000000000'],
  [{ a: "1" }, 'read w.json: "a": expected an id from 0 to 16777215, got "1"'],
  [{ a: 1.5 }, 'read w.json: "a": expected an id from 0 to 16777215, got 1.5'],
  [{}, "read w.json: words: expected at least 1, got 0"],
  [[], "read w.json: words: expected at least 1, got 0"],
])("words %j are refused", (json, message) => {
  expect(() => readWordIndex(json, "w.json")).toThrow(
    expect.objectContaining({ code: "word-index", kind: "input", message }),
  );
});

test.each<[unknown, string]>([
  [{ A: 1 }, "read l.json: labels: expected one for each id from 0 to 1, got none for 0"],
  [{ A: 0, B: 0 }, "read l.json: id 0: expected one label, got two"],
  [["A", "A"], 'read l.json: labels: expected each once, got "A" twice'],
  [["A", ""], "read l.json: id 1: expected one label, got an empty one"],
  [[], "read l.json: labels: expected one for each id from 0 to 0, got none"],
])("labels %j are refused", (json, message) => {
  expect(() => readLabelIndex(json, "l.json")).toThrow(
    expect.objectContaining({ code: "labels", kind: "input", message }),
  );
});
