import { readFileSync } from "node:fs";

/** Keyward's version, of the package.json that stands two folders above, in src/ as in dist/. */
export function readVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
