import { access, constants, mkdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { StartError } from "./start-error.ts";

const PRIVATE_MODE = 0o700;

/** Where things stand in the data directory. */
export const DATABASE_FILE = "keyward.db";
export const JOURNAL_FOLDER = "journal";
export const ROOT_KEY_FILE = "root.key";

export function databasePath({ dataDir }: { readonly dataDir: string }): string {
  return join(dataDir, DATABASE_FILE);
}

/** Makes the data directory, for its owner only, or checks that the one that is there can be used. */
export async function prepareDataDirectory(path: string): Promise<void> {
  try {
    await makeDirectory(path);
    const found = await stat(path);
    if (!found.isDirectory())
      throw Object.assign(new Error("not a directory"), { code: "ENOTDIR" });
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (err) {
    const { code } = err as NodeJS.ErrnoException;
    throw new StartError(
      `The data directory ${path} cannot be used: ${REASONS[code ?? ""] ?? code ?? "it cannot be opened"}.`,
      "Start Keyward where you may write, or name a directory: keyward start --data-dir ~/keyward",
      { cause: err },
    );
  }
}

/**
 * Like `mkdir -p`, every new directory for its owner only. Not Node's own recursive form: where a file system answers
 * ENOENT to every attempt, as /proc does, that one never returns.
 */
async function makeDirectory(path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = path; !(await isThere(at)) && dirname(at) !== at; at = dirname(at))
    missing.push(at);
  for (const directory of missing.toReversed()) {
    await mkdir(directory, { mode: PRIVATE_MODE }).catch((err: NodeJS.ErrnoException) => {
      // Another process was faster.
      if (err.code !== "EEXIST") throw err;
    });
  }
  // Database and root key together open the vault: neither may end up in the app's repository.
  if (missing.length > 0) await writeFile(join(path, ".gitignore"), "*\n", { mode: 0o600 });
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (err: NodeJS.ErrnoException) => {
      if (err.code === "ENOENT") return false;
      throw err;
    },
  );
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "a directory cannot be made there",
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EROFS: "the file system is read-only",
  ENOTDIR: "a part of the path is a file, not a directory",
  EEXIST: "there is a file of that name",
  ENOSPC: "the disk is full",
};
