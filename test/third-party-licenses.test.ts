import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { formatLicenses, packageDirectories } from "../scripts/build/third-party-licenses.ts";
import { createScratchDirectory } from "./support/scratch-directory.ts";

const NODE_MODULES = join(import.meta.dirname, "../node_modules");

async function createPackage(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await createScratchDirectory("keyward-licenses-");
  onTestFinished(() => rm(root, { recursive: true }));
  const directory = join(root, "node_modules/some-package");
  await mkdir(directory, { recursive: true });
  const manifest = { name: "some-package", version: "1.2.3", license: "ISC" };
  const all = { "package.json": JSON.stringify(manifest), ...files };
  for (const [name, text] of Object.entries(all)) await writeFile(join(directory, name), text);
  return directory;
}

it("writes the text of every license file of a package", async () => {
  const directory = await createPackage({ "license.md": "the terms", NOTICE: "the notice" });
  const text = formatLicenses([directory]);
  expect(text).toContain("some-package 1.2.3 (ISC)");
  expect(text).toContain("the terms");
  expect(text).toContain("the notice");
});

it("refuses a package without a license text", async () => {
  const without = await createPackage({ "README.md": "## License\n\nISC" });
  expect(() => formatLicenses([without])).toThrow("some-package has no license text");
  const empty = await createPackage({ LICENSE: "\n" });
  expect(() => formatLicenses([empty])).toThrow("some-package has no license text");
});

it("has the text of the project for its packages that come without one", () => {
  const text = formatLicenses([join(NODE_MODULES, "@hono/zod-openapi")]);
  expect(text).toMatch(/@hono\/zod-openapi [\d.]+ \(MIT\)[^]*Yusuke Wada[^]*WITHOUT WARRANTY/);
});

it("finds the package of each module, also one inside another package, and the bundler's own", () => {
  const directories = packageDirectories([
    "/clone/src/app.ts",
    "/clone/node_modules/a/lib/x.js",
    "/clone/node_modules/a/lib/y.js",
    "/clone/node_modules/a/node_modules/@b/c/z.js",
    "\0rolldown/runtime.js",
  ]);
  expect(directories).toEqual([
    "/clone/node_modules/a",
    "/clone/node_modules/a/node_modules/@b/c",
    join(NODE_MODULES, "rolldown"),
  ]);
});
