/** What a file system has to be told so that what was written outlives a power loss. No format and no rule lives here. */
import { open } from "node:fs/promises";

/** Has the names in a directory outlive a power loss: a file that was made, renamed or removed is so for good after it. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
