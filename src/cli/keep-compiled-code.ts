import { lstatSync, mkdirSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import type { Environment } from "../config/process-environment.ts";

/** Whoever runs this process, and on what. */
export interface RunningUser {
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
  /** Undefined on Windows. */
  readonly uid: number | undefined;
}

const FOLDER = "keyward";
const OWNER_ONLY = 0o700;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Has Node keep what it compiles of Keyward, so that the next command and the next start load it from there. A user's own
 * NODE_COMPILE_CACHE and NODE_DISABLE_COMPILE_CACHE stand.
 */
export function keepCompiledCode(user: RunningUser): void {
  const folder = findCodeFolder(user);
  if (folder !== undefined) enableCompileCache(folder);
}

/**
 * The folder in the user's own caches, made where it is not there yet. Not the one where Node would keep code by itself:
 * that is in the temporary folder of all users, where whoever came first may have left code of theirs, and this process
 * holds secrets. Undefined where there is no folder to trust: everything is compiled anew then.
 */
export function findCodeFolder(user: RunningUser): string | undefined {
  const caches = findCaches(user);
  if (caches === undefined || !isAbsolute(caches)) return undefined;
  const folder = join(caches, FOLDER);
  // Not Node's own recursive form, which never returns where a file system answers ENOENT to every attempt.
  const isThere = makeFolder(caches) && makeFolder(folder);
  return isThere && isOnlyOf(user, folder) ? folder : undefined;
}

/** Sources: the XDG base directory specification; Apple's and Microsoft's guidelines on files of applications. */
function findCaches({ env, platform }: RunningUser): string | undefined {
  const given = platform === "win32" ? env["LOCALAPPDATA"] : env["XDG_CACHE_HOME"];
  if (given !== undefined && given !== "") return given;
  const home = env["HOME"] ?? findHome();
  if (home === undefined) return undefined;
  return platform === "darwin" ? join(home, "Library", "Caches") : join(home, ".cache");
}

/** Who is not in the machine's list of users has none: a container may run as any number. */
function findHome(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}

function makeFolder(path: string): boolean {
  try {
    mkdirSync(path, { mode: OWNER_ONLY });
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EEXIST";
  }
}

function isOnlyOf({ uid }: RunningUser, folder: string): boolean {
  const found = lstatSync(folder);
  if (uid === undefined) return found.isDirectory();
  return found.isDirectory() && found.uid === uid && (found.mode & WRITABLE_BY_OTHERS) === 0;
}
