import { gunzip } from "@nasty/formats/archive";
import { fromBase64 } from "./base64.js";

/** No packed entry is larger; one that unpacks to more is not compared. */
const mostBytes = 64 * 2 ** 20;

/**
 * Whether two packed entries (base64 of gzip) hold the same. Their characters need not agree: each JavaScript engine
 * has a compressor of its own, and files should not differ by who wrote them.
 */
export async function packedAlike(a: string, b: string): Promise<boolean> {
  if (a === b) return true;
  try {
    const [left, right] = await Promise.all(
      [a, b].map((text) => gunzip(fromBase64(text), { maxBytes: mostBytes })),
    );
    return left?.length === right?.length && left?.every((byte, at) => byte === right?.[at]) === true;
  } catch {
    return false;
  }
}
