/** Reads bits from the least significant of each byte, as RFC 7932 packs them. */
export interface BitReader {
  readonly bytes: Uint8Array;
  /** Index of the next byte to take. */
  next: number;
  /** Bits that were taken and not read yet, the next one lowest; at most 30, so that V8 keeps a small integer. */
  held: number;
  count: number;
}

/** Bytes of zeros that may be taken behind the end: code tables look ahead. */
const lookAhead = 8;

export function makeBitReader(bytes: Uint8Array): BitReader {
  return { bytes, next: 0, held: 0, count: 0 };
}

/** Takes bytes until at least 23 bits are held. */
export function fill(reader: BitReader): void {
  const { bytes } = reader;
  if (reader.next > bytes.length + lookAhead) throw endOfFile();
  while (reader.count <= 22) {
    const byte = reader.next < bytes.length ? (bytes[reader.next] as number) : 0;
    reader.held |= byte << reader.count;
    reader.next++;
    reader.count += 8;
  }
}

/** @param bits 0 to 24 */
export function readBits(reader: BitReader, bits: number): number {
  if (bits > 16) {
    const low = readBits(reader, 16);
    return low | (readBits(reader, bits - 16) << 16);
  }
  if (reader.count < bits) fill(reader);
  const value = reader.held & ((1 << bits) - 1);
  reader.held >>= bits;
  reader.count -= bits;
  return value;
}

/** Goes to the next whole byte; what lies between must be zeros. */
export function skipPadding(reader: BitReader): void {
  if (readBits(reader, reader.count & 7) !== 0) throw new Error("padding that is not zero");
}

/** Index of the byte at which the reader is, after {@link skipPadding}. */
export function byteAt(reader: BitReader): number {
  return reader.next - (reader.count >> 3);
}

export function goToByte(reader: BitReader, at: number): void {
  reader.next = at;
  reader.held = 0;
  reader.count = 0;
}

/** Refuses what was read behind the end. */
export function checkEnd(reader: BitReader): void {
  if (8 * reader.next - reader.count > 8 * reader.bytes.length) throw endOfFile();
}

export const endOfFile = (): Error => new Error("unexpected end of file");
