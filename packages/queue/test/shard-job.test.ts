import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressOf } from "../src/connection.js";
import { jobIdOf, parseJob } from "../src/shard-job.js";

const job = {
  schema: 1,
  folder: "/shared/tagged",
  shard: "00001-000001-0123456789abcdef.conllu",
  text: "/shared/a.txt",
  model: null,
} as const;

describe("parseJob", () => {
  it("takes what queueCorpus puts there", () => {
    expect(parseJob({ ...job })).toEqual(job);
    expect(parseJob({ ...job, model: "/models/pos.onnx" }).model).toBe("/models/pos.onnx");
  });

  it.each([
    ["job", null],
    ["job", "text"],
    ["schema", { ...job, schema: 2 }],
    ["folder", { ...job, folder: "tagged" }],
    ["folder", { ...job, folder: `/${"x".repeat(5000)}` }],
    ["text", { ...job, text: "/a\0b" }],
    ["text", { ...job, text: undefined }],
    ["model", { ...job, model: 5 }],
    ["shard", { ...job, shard: { $ne: 1 } }],
    ["command", { ...job, command: "rm" }],
  ])("refuses a wrong %s", (what, data) => {
    expect(() => parseJob(data)).toThrow(`queue: ${what}: `);
  });

  it("refuses anything else without another error", () => {
    fc.assert(fc.property(fc.anything(), (data) => void expect(() => parseJob(data)).toThrow(/^queue: /)));
  });
});

it("a job has one name a folder and shard, which BullMQ takes", () => {
  expect(jobIdOf(job)).toBe(jobIdOf({ ...job }));
  expect(jobIdOf(job)).not.toBe(jobIdOf({ ...job, folder: "/other" }));
  expect(jobIdOf(job)).toMatch(/^[0-9a-f]{16}-[^:]+$/);
});

describe("addressOf", () => {
  it("shows host, port and database, and neither user nor password", () => {
    const { url, shown } = addressOf("rediss://me:s3cret@host:6380/2", {});
    expect(shown).toBe("rediss://host:6380/2");
    expect(url).toContain("me:s3cret@");
    expect(addressOf("redis://host", {}).shown).toBe("redis://host");
  });

  it("takes a password from the environment where the address has none", () => {
    const environment = { NASTY_QUEUE_PASSWORD: "a/b c" };
    const { url, shown } = addressOf("redis://host/1", environment);
    expect(decodeURIComponent(new URL(url).password)).toBe("a/b c");
    expect(shown).toBe("redis://host/1");
    expect(new URL(addressOf("redis://:own@host", environment).url).password).toBe("own");
  });

  it.each(["", "host:6379", "http://:s3cret@host", "redis://:s3cret@host/db", "redis://:s3cret@host?tls=no"])(
    "refuses %j without repeating it",
    (text) => {
      try {
        addressOf(text, {});
        expect.unreachable();
      } catch (error) {
        expect((error as Error).name).toBe("UsageError");
        expect((error as Error).message).toMatch(/^--queue: expected an address such as/);
        expect((error as Error).message).not.toContain("s3cret");
      }
    },
  );
});
