import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The ends of paths of files that take minutes: one that began last would run alone, and leave the other cores idle.
 */
const longest = ["test/guide/guide.test.ts", "apps/cli/test/commands/train.test.ts"];

/** The order of files: the longest ones, then what Vitest would run first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => longest.some((path) => moduleId.endsWith(path));
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
