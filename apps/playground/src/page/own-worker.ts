/**
 * Starts a worker under the page's own Content-Security-Policy: one that is loaded from an address has that of its
 * answer, which a static server does not set; one of a blob has that of the page that made it.
 */
export function ownWorker(address: string): Worker {
  const script = `import ${JSON.stringify(new URL(address, location.href).href)};`;
  const blob = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  return new Worker(blob, { type: "module" });
}
