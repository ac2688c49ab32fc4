import { describe, expect, it } from "vitest";
import { CoreError, type ErrorFields, NastyError } from "../src/index.js";

interface PlaceFields extends ErrorFields {
  readonly line?: number;
}

class PlaceError extends NastyError<"lost" | "found", PlaceFields> {
  override readonly name = "PlaceError";
}

describe("NastyError", () => {
  it("has the class's name, the code, the message and the fields", () => {
    const error = new PlaceError("lost", "find: line 3: place: expected one, got none", { line: 3 });
    expect(error).toBeInstanceOf(NastyError);
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toBe("PlaceError: find: line 3: place: expected one, got none");
    expect(error).toMatchObject({ kind: "input", code: "lost", fields: { line: 3 } });
    expect(Object.hasOwn(error, "cause")).toBe(false);
  });

  it("has empty fields where none are given", () => {
    expect(new PlaceError("found", "m").fields).toEqual({});
  });

  it("hands the cause to Error, and keeps it among the fields", () => {
    const cause = new RangeError("underneath");
    const error = new PlaceError("lost", "m", { cause });
    expect(error.cause).toBe(cause);
    expect(error.fields.cause).toBe(cause);
  });

  it("is what CoreError is", () => {
    const error = new CoreError("shape", "m", { axis: 1 });
    expect(error).toBeInstanceOf(NastyError);
    expect(error.name).toBe("CoreError");
    expect(error.fields).toEqual({ axis: 1 });
  });
});
