import { open, rm } from "node:fs/promises";

/**
 * A new file that its owner alone may read, whole on the disk when this resolves; its name is only after `syncDirectory`.
 * Rejects with EEXIST where there is one already, and leaves nothing of its own behind when it rejects.
 */
export async function createPrivateFile(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}
