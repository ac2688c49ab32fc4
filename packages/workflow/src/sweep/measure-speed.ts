import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Artifact } from "@nasty/compression/pipeline";
import { writeFileAtomic } from "@nasty/formats/archive/node";
import { parseJson } from "@nasty/formats/json";
import { environment } from "@nasty/runtime";
import * as v from "valibot";
import type { Labelled } from "../kinds/kind.js";
import { type OpenSubject, openSubject } from "../kinds/open-subject.js";
import { sampleLatencies } from "../measurement/sentence-latency.js";
import type { OpenModelOptions } from "../models/open-tagger.js";
import { hashOf } from "../recipes/artifact.js";
import type { Reporter } from "../reporter.js";
import { spread } from "../texts/spread.js";
import { versions } from "../versions.js";

const positive = v.pipe(v.number(), v.finite(), v.gtValue(0));

const SpeedSchema = v.object({ originalMs: positive, ms: positive });

/** Median milliseconds a sample of the original and of a file, in turn in one process. */
export type Speed = v.InferOutput<typeof SpeedSchema>;

const SpeedsSchema = v.object({
  schemaVersion: v.literal(1),
  key: v.string(),
  speeds: v.record(v.string(), SpeedSchema),
});

// Enough sentences for a steady median, few enough to take seconds.
const timedSamples = 200;

interface SpeedJob {
  /** The original, open. */
  readonly original: OpenSubject;
  readonly originalSha256: string;
  readonly samples: readonly Labelled[];
  readonly validation: { readonly path: string; readonly sha256: string };
  readonly options: OpenModelOptions & { readonly seed: number };
  readonly folder: string;
  /** Whether measurements of an earlier run count. */
  readonly isContinued: boolean;
}

/**
 * Speed of each file beside the original, by its hash. What was measured on this processor before is taken as it was:
 * the same sweep gives the same figures.
 */
export async function measureSpeeds(
  files: readonly Artifact[],
  job: SpeedJob,
  { progress }: Pick<Reporter, "progress">,
): Promise<Readonly<Record<string, Speed>>> {
  const { original, samples, validation, options, folder } = job;
  const path = join(folder, "speed.json");
  const { threads, seed } = options;
  const { cpu, node } = environment({ threads });
  const about = { threads, seed, cpu, node, versions: versions() };
  const key = hashOf([job.originalSha256, validation.sha256, JSON.stringify(about)]);
  const speeds: Record<string, Speed> = job.isContinued ? await readSpeeds(path, key) : {};
  const missing = files.filter(({ sha256 }) => !Object.hasOwn(speeds, sha256));
  if (missing.length === 0) return speeds;
  const sample = spread(samples, timedSamples).map((one) => original.reading.sampleOf(one));
  progress.start(
    `measuring the speed of ${missing.length} files, each in turn with the original`,
    missing.length,
  );
  try {
    for (const [done, file] of missing.entries()) {
      const { subject } = await openSubject(file.path, options, [validation.path]);
      try {
        const [before, after] = await sampleLatencies([original.subject, subject], sample, { seed });
        speeds[file.sha256] = { originalMs: before?.p50 ?? 0, ms: after?.p50 ?? 0 };
      } finally {
        await subject.close();
      }
      const text = `${JSON.stringify({ schemaVersion: 1, key, speeds }, null, 2)}\n`;
      await writeFileAtomic(path, [Buffer.from(text)]);
      progress.update(done + 1);
    }
  } finally {
    progress.stop();
  }
  return speeds;
}

/** Measurements of the same; none where the file is missing, of something else or no such file. */
async function readSpeeds(path: string, key: string): Promise<Record<string, Speed>> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return {};
  try {
    const result = v.safeParse(SpeedsSchema, parseJson(text));
    return result.success && result.output.key === key ? { ...result.output.speeds } : {};
  } catch {
    return {};
  }
}
