import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const PAGES = globSync("**/*.md", {
  cwd: ROOT,
  exclude: ["node_modules/**", "**/node_modules/**"],
});

/** Targets of relative links, and code spans that begin with a folder of this repository. */
function pathsIn(page: string): string[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, target = ""]) =>
    join(dirname(page), target),
  );
  const spans = [
    ...text.matchAll(/`((?:src|test|scripts|docs|bench|dashboard|examples)\/[\w./-]+)`/g),
  ];
  return [...links, ...spans.map(([, path = ""]) => path)];
}

it("finds pages to check", () => {
  expect(PAGES).toContain("README.md");
  expect(PAGES.length).toBeGreaterThan(10);
});

it.each(PAGES)("%s names no path that does not exist", (page) => {
  expect(pathsIn(page).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
