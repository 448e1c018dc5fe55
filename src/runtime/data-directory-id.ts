import { link, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type DataDirectoryId, type IdFactory, isId } from "../core/ids/ids.ts";
import { createPrivateFile } from "../files/create-private-file.ts";
import { StartError } from "./start-error.ts";

const ID_FILE = "directory.id";

/**
 * Who the data directory is, made with the first start: the processes on one directory find each other's journals, those
 * on another can't. Of several that make it at once, one is taken by all.
 */
export async function readDataDirectoryId(
  dataDir: string,
  ids: Pick<IdFactory, "create">,
): Promise<DataDirectoryId> {
  const path = join(dataDir, ID_FILE);
  const found = await findDataDirectoryId(dataDir);
  if (found !== undefined) return found;
  const drawn = ids.create("dir");
  const draft = `${path}.${drawn}`;
  try {
    await createPrivateFile(draft, `${drawn}\n`);
    // A link refuses to replace, a rename would not.
    await link(draft, path);
    return drawn;
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== "EEXIST") throw err;
  } finally {
    await rm(draft, { force: true });
  }
  return (await findDataDirectoryId(dataDir)) ?? drawn;
}

/** Undefined before the first start. */
export async function findDataDirectoryId(dataDir: string): Promise<DataDirectoryId | undefined> {
  const path = join(dataDir, ID_FILE);
  let text: string;
  try {
    text = (await readFile(path, "utf8")).trim();
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw err;
  }
  if (isId("dir", text)) return text;
  throw new StartError(
    `The file ${path} does not hold the id of a data directory.`,
    "Put it back from a backup, or remove it: the next start makes another one.",
  );
}
