/**
 * Sends bytes through a stream of the platform, and gives what comes out piece by piece.
 *
 * @param pieceBytes how much goes in at once: a browser makes all that comes of a piece before it hands any of it out,
 *   and takes no more until that is read
 */
export async function* through(
  bytes: Uint8Array,
  stream: CompressionStream | DecompressionStream,
  pieceBytes = bytes.length,
): AsyncGenerator<Uint8Array> {
  // The reader reports the failure; a rejection here would be the same error a second time.
  const written = writePieces(stream.writable.getWriter(), bytes, pieceBytes).catch(() => undefined);
  const reader = stream.readable.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      yield part.value as Uint8Array;
    }
    await written;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function writePieces(
  writer: WritableStreamDefaultWriter<Uint8Array>,
  bytes: Uint8Array,
  pieceBytes: number,
): Promise<void> {
  for (let at = 0; at < bytes.length; at += pieceBytes)
    await writer.write(bytes.subarray(at, at + pieceBytes));
  await writer.close();
}

/** What a platform's stream found wrong. */
export function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  return inner instanceof Error ? inner.message : String(inner);
}
