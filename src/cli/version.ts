import { readFileSync } from "node:fs";
import { ownPackageFile } from "../files/own-file.ts";

/** Keyward's version, of its package.json. */
export function readVersion(): string {
  const text = readFileSync(ownPackageFile(), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
