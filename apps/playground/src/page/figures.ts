/** `2.49 MB`: megabytes are 10^6 bytes. */
export function bytesText(bytes: number): string {
  if (bytes < 1e5) return `${(bytes / 1e3).toFixed(1)} kB`;
  return `${(bytes / 1e6).toFixed(2)} MB`;
}

/** `12,345` */
export const countText = (count: number): string => Math.round(count).toLocaleString("en");
