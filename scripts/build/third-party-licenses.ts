import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "rolldown";

const FILE_NAME = "THIRD-PARTY-LICENSES.txt";
const LICENSE_FILE = /^(licen[cs]e|copying|notice)([.-].*)?$/i;
/** What the bundler puts in of its own. */
const BUNDLER_MODULE = "\0rolldown/";

/**
 * Packages that say they are under the MIT license and come without its text, and the package of the same project
 * whose text, with the same authors, is theirs.
 */
const TEXT_OF: Readonly<Record<string, string>> = {
  "@hono/zod-openapi": "hono",
  "@hono/zod-validator": "hono",
};

/** Writes the license texts of everything that is built in. The build fails at a package that has none. */
export function thirdPartyLicenses(): Plugin {
  return {
    name: "third-party-licenses",
    generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((file) =>
        file.type === "chunk" ? Object.keys(file.modules) : [],
      );
      const source = formatLicenses(packageDirectories(modules));
      this.emitFile({ type: "asset", fileName: FILE_NAME, source });
    },
  };
}

/** Where the packages of these modules are, without repeats. A package in another's node_modules is its own. */
export function packageDirectories(modules: readonly string[]): readonly string[] {
  const directories = new Set<string>();
  for (const module of modules) {
    const found = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(module)?.[0];
    if (found !== undefined) directories.add(found);
    else if (module.startsWith(BUNDLER_MODULE))
      directories.add(join(import.meta.dirname, "../../node_modules/rolldown"));
  }
  return [...directories];
}

/** One section a package, by name. Throws at a package without a license text. */
export function formatLicenses(directories: readonly string[]): string {
  const sections = directories.map((directory) => {
    const { name, version, license } = readPackage(directory);
    const title = `${name} ${version} (${license})`;
    return `${title}\n${"-".repeat(title.length)}\n\n${licenseText(directory, name)}\n`;
  });
  const head = "Parts of these packages are built into the files of this folder.\n";
  return [head, ...sections.toSorted()].join("\n\n");
}

function licenseText(directory: string, name: string): string {
  const other = TEXT_OF[name];
  const from = other === undefined ? directory : join(directory, "../..", other);
  const files = existsSync(from) ? readdirSync(from).filter((file) => LICENSE_FILE.test(file)) : [];
  const texts = files.map((file) => readFileSync(join(from, file), "utf8").trim());
  if (texts.every((text) => text === ""))
    throw new Error(
      `${name} has no license text in ${from}: keep it out of the bundle, or find its text`,
    );
  return texts.join("\n\n");
}

function readPackage(directory: string) {
  const text = readFileSync(join(directory, "package.json"), "utf8");
  const { name, version, license } = JSON.parse(text) as Record<string, unknown>;
  if (typeof name !== "string" || typeof version !== "string" || typeof license !== "string")
    throw new Error(`${directory}/package.json does not say its name, version and license`);
  return { name, version, license };
}
