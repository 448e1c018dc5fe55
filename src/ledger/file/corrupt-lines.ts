import { open } from "node:fs/promises";
import { corruptPath } from "./journal-folder.ts";

/**
 * Keeps lines that could not be read beside the journal (0600), for people to look at: they may be calls that cost
 * money. `append` adds to what is kept of the segment already, `replace` writes it anew, which a recovery that is
 * repeated after a crash needs. Resolves when they would survive a power loss.
 */
export async function setAsideCorruptLines(
  folderPath: string,
  segment: number,
  lines: readonly Buffer[],
  mode: "append" | "replace",
): Promise<void> {
  const path = corruptPath(folderPath, segment);
  const file = await open(path, mode === "append" ? "a" : "w", 0o600);
  try {
    const feed = Buffer.from("\n");
    await file.writeFile(Buffer.concat(lines.flatMap((line) => [line, feed])));
    await file.sync();
  } finally {
    await file.close();
  }
}
