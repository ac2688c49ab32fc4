import { formatBytes, formatRatio } from "@nasty/workflow/report";

const isCompressed = (path: string): boolean => /\.(?:gz|br)$/.test(path);

/** `21.19 MB -> 5.52 MB (3.83x smaller)`; says why a file that was compressed did not shrink. */
export function sizeLine(
  before: { readonly path: string; readonly bytes: number },
  after: { readonly path: string; readonly bytes: number },
): string {
  const isSmaller = after.bytes <= before.bytes;
  const ratio = isSmaller ? before.bytes / after.bytes : after.bytes / before.bytes;
  const why =
    isCompressed(before.path) && !isCompressed(after.path)
      ? "; the input is compressed, the output is not: --compress gzip"
      : "";
  return `${formatBytes(before.bytes)} -> ${formatBytes(after.bytes)} (${formatRatio(ratio)} ${isSmaller ? "smaller" : "larger"}${why})`;
}
