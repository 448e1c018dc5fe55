/** `npm run docs`: writes the pages of docs/ that are made from the code. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { allPages } from "./docs/all-pages.ts";

const root = join(import.meta.dirname, "..");
for (const { path, text } of await allPages()) {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  process.stdout.write(`wrote ${path}\n`);
}
