import { createHash } from "node:crypto";

let sha256: string | undefined;

/** Standard input, which can be read once; its hash is known when it was read to the end. */
export async function* readStandardInput(): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  for await (const chunk of process.stdin) {
    hash.update(chunk as Uint8Array);
    yield chunk as Uint8Array;
  }
  sha256 = hash.digest("hex");
}

/** SHA-256 of standard input, hexadecimal; undefined until all of it was read. */
export function standardInputSha256(): string | undefined {
  return sha256;
}
