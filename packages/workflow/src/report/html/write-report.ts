import { writeFileAtomic } from "@nasty/formats/archive/node";
import type { Html } from "./markup.js";

export async function writeReport(path: string, page: Html): Promise<void> {
  await writeFileAtomic(path, [new TextEncoder().encode(page)]);
}
