import { extname } from "node:path";

/**
 * A file of Keyward's own, named as it stands in src/ and without its ending: `store/sqlite/sqlite-thread`. What is
 * started by its file's name (a thread, a process) is an entry of the build and has its place in dist/ too.
 *
 * This module itself stands one folder below the root, in src/files/ as in dist/chunks/ (rolldown.config.ts); nothing
 * else may ask where it is, since the build puts modules together.
 */
export function ownFile(name: string): URL {
  return new URL(`../${name}${extname(import.meta.filename)}`, import.meta.url);
}

/** The package.json beside src/ and dist/. */
export function ownPackageFile(): URL {
  return new URL("../../package.json", import.meta.url);
}
