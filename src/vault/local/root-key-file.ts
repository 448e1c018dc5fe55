/**
 * The root key as a file: base64 and a line feed, readable by its owner alone. A rotation lays the new key beside it as
 * `<path>.next.<old fingerprint>.<new fingerprint>` before the store hears of it. What the names say is enough to see
 * after any crash what such a file is, so nothing here depends on who still runs:
 *
 * - the store's current key is the new one: the rotation was committed, the file takes the key file's place;
 * - the current key is the old one: the rotation may still be committed, the file must stay;
 * - the old key was replaced by another: the store refuses this rotation for ever, the file is waste.
 */
import { link, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { createPrivateFile } from "../../files/create-private-file.ts";
import { syncDirectory } from "../../files/sync-directory.ts";
import { fingerprintRootKey, formatRootKey, parseRootKey, type RootKey } from "./root-key.ts";

/** The key file cannot be used; the message says what to do. */
export class RootKeyFileError extends Error {}

const OTHERS_MASK = 0o077;
const MAX_FILE_BYTES = 1024;

/** False, and nothing changed, when there is such a file already. Whole or not there at all, also after a power loss. */
export async function createRootKeyFile(path: string, key: RootKey): Promise<boolean> {
  const draft = `${path}.draft.${fingerprintRootKey(key)}`;
  await writeKeyFile(draft, key);
  try {
    // A link refuses to replace, a rename would not.
    await link(draft, path);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
    await syncDirectory(dirname(path));
  }
  return true;
}

/** Undefined when there is no such file. Throws RootKeyFileError when others may read it or it holds no key. */
export async function readRootKeyFile(path: string): Promise<RootKey | undefined> {
  let file;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    const { mode, size } = await file.stat();
    if ((mode & OTHERS_MASK) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(3, "0");
      throw new RootKeyFileError(
        `the root key file ${path} is open to other users (mode ${octal}); run: chmod 600 ${path}`,
      );
    }
    const key = size > MAX_FILE_BYTES ? undefined : parseRootKey(await file.readFile("utf8"));
    if (key === undefined) {
      throw new RootKeyFileError(
        `the root key file ${path} holds no root key: expected 32 bytes as base64 or hex; put the right file back`,
      );
    }
    return key;
  } finally {
    await file.close();
  }
}

/** Lays the next key beside the file; `promoteNextRootKey` puts it in place once the store has it. */
export async function writeNextRootKey(
  path: string,
  previous: RootKey,
  next: RootKey,
): Promise<void> {
  await writeKeyFile(nextPath(path, fingerprintRootKey(previous), fingerprintRootKey(next)), next);
  await syncDirectory(dirname(path));
}

/** For a rotation that is known not to be committed, now or later. */
export async function removeNextRootKey(
  path: string,
  previous: RootKey,
  next: RootKey,
): Promise<void> {
  await rm(nextPath(path, fingerprintRootKey(previous), fingerprintRootKey(next)), { force: true });
}

/**
 * Finishes a rotation that the store has committed: the next key with the current fingerprint takes the file's place.
 * Does nothing when there is none. Several processes may do it at once.
 */
export async function promoteNextRootKey(path: string, currentFingerprint: string): Promise<void> {
  const candidates = await listNextKeys(path);
  const next = candidates.find((candidate) => candidate.fingerprint === currentFingerprint);
  if (next === undefined) return;
  const key = await readRootKeyFile(next.path);
  if (key === undefined || fingerprintRootKey(key) !== currentFingerprint) return;
  try {
    await rename(next.path, path);
  } catch (error) {
    // Another process was faster.
    if (codeOf(error) !== "ENOENT") throw error;
  }
  await syncDirectory(dirname(path));
}

/**
 * Deletes the next keys of rotations that came to nothing. The order is what makes it safe: a next key's old key was
 * current before its file was there to be listed, so when the store, asked after the listing, names another, that
 * rotation can never be committed. Asked before, a rotation that has just begun would lose its key.
 */
export async function removeWasteNextKeys(
  path: string,
  readCurrentFingerprint: () => Promise<string | undefined>,
): Promise<void> {
  const candidates = await listNextKeys(path);
  if (candidates.length === 0) return;
  const current = await readCurrentFingerprint();
  if (current === undefined) return;
  for (const { path: nextKey, previousFingerprint, fingerprint } of candidates) {
    if (previousFingerprint !== current && fingerprint !== current) {
      await rm(nextKey, { force: true });
    }
  }
}

interface NextKey {
  readonly path: string;
  readonly previousFingerprint: string;
  readonly fingerprint: string;
}

function nextPath(path: string, previousFingerprint: string, fingerprint: string): string {
  return `${path}.next.${previousFingerprint}.${fingerprint}`;
}

async function listNextKeys(path: string): Promise<readonly NextKey[]> {
  const prefix = `${basename(path)}.next.`;
  const found: NextKey[] = [];
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(prefix)) continue;
    const match = /^([0-9a-f]{16})\.([0-9a-f]{16})$/.exec(name.slice(prefix.length));
    const [, previousFingerprint, fingerprint] = match ?? [];
    if (previousFingerprint === undefined || fingerprint === undefined) continue;
    const full = nextPath(path, previousFingerprint, fingerprint);
    found.push({ path: full, previousFingerprint, fingerprint });
  }
  return found;
}

async function writeKeyFile(path: string, key: RootKey): Promise<void> {
  await createPrivateFile(path, `${formatRootKey(key)}\n`);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
