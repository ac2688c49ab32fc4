/** Files by their paths, as `loadModel` takes them. */
export type Files = ReadonlyMap<string, File>;

/** The files of a file field; those of a folder with their paths in it. */
export const chosenFiles = (list: FileList | null): Files =>
  new Map([...(list ?? [])].map((file) => [file.webkitRelativePath || file.name, file]));

/** A file alone, or the files of a folder: what `loadModel` opens. */
export function sourceOf(files: Files): File | Files {
  const [[path, file] = ["", undefined]] = files;
  return files.size === 1 && file !== undefined && !path.includes("/") ? file : files;
}

/** What was dropped: files, and the files of folders. */
export async function droppedFiles({ items }: DataTransfer): Promise<Files> {
  const files = new Map<string, File>();
  // Entries must be taken before anything is waited for: the browser forgets them after the event.
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  for (const entry of entries) await collect(entry, files);
  return files;
}

async function collect(entry: FileSystemEntry, files: Map<string, File>): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    files.set(entry.fullPath.replace(/^\//, ""), file);
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A folder is read in parts, until one is empty.
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (part.length === 0) return;
    for (const inner of part) await collect(inner, files);
  }
}
