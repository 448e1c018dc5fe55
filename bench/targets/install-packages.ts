import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Installs rivals outside the project, once. Why it did not work, or undefined. */
export async function installPackages(
  directory: string,
  names: readonly string[],
): Promise<string | undefined> {
  await mkdir(directory, { recursive: true });
  const manifest = join(directory, "package.json");
  if (!existsSync(manifest)) await writeFile(manifest, '{ "private": true }\n');
  const missing = names.filter((name) => !existsSync(join(directory, "node_modules", name)));
  if (missing.length === 0) return undefined;
  try {
    await run("npm", ["install", "--no-audit", "--no-fund", ...missing], { cwd: directory });
    return undefined;
  } catch (err) {
    return `${missing.join(", ")} could not be installed: ${(err as Error).message.slice(0, 200)}`;
  }
}
