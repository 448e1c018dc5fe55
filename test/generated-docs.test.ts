import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { allPages } from "../scripts/docs/all-pages.ts";
import { listOperations } from "../scripts/docs/permissions-page.ts";
import { ACCESS_RULES } from "../src/admin/access-rules.ts";
import { isSingleCommand } from "../src/cli/command.ts";
import { NOUNS } from "../src/cli/nouns.ts";
import { listSettings } from "../src/config/config-schema.ts";
import { ERROR_CODES } from "../src/core/errors/codes.ts";
import { METRICS } from "../src/telemetry/prometheus/metrics.ts";

const read = (path: string): string => readFileSync(join(import.meta.dirname, "..", path), "utf8");
/** The first cell of every row, without the marks of code. */
const firstCells = (text: string): string[] =>
  [...text.matchAll(/^\| `([^`]+)`/gm)].map(([, cell = ""]) => cell);

test.each((await allPages()).map((page) => [page.path, page] as const))(
  "%s is what `npm run docs` makes of the code",
  (path, page) => {
    expect(read(path)).toBe(page.text);
  },
);

test("docs/errors.md names every code of the table, and no other", () => {
  expect(firstCells(read("docs/errors.md")).toSorted()).toEqual(
    Object.keys(ERROR_CODES).toSorted(),
  );
});

test("docs/cli.md has every command, each with examples of it", async () => {
  const text = read("docs/cli.md");
  for (const noun of NOUNS) {
    const commands = await noun.load();
    const all = isSingleCommand(commands) ? { "": commands } : commands;
    for (const [verb, { examples }] of Object.entries(all)) {
      const words = `keyward ${noun.name}${verb === "" ? "" : ` ${verb}`}`;
      expect(text).toContain(`### ${words}\n`);
      expect(examples.some((example) => example.includes(words))).toBe(true);
    }
  }
});

test("docs/guide/observability.md names every metric, and no other", () => {
  const [, table = ""] = read("docs/guide/observability.md").split(
    /<!-- metrics: (?:begin|end).*-->/,
  );
  expect(firstCells(table)).toEqual(Object.keys(METRICS));
});

test("docs/config.md names every setting of the schema, and no other", () => {
  expect(firstCells(read("docs/config.md")).toSorted()).toEqual(
    listSettings()
      .map((setting) => setting.key)
      .toSorted(),
  );
});

test("every route of the admin API has a rule in src/admin/access-rules.ts, and every rule a route", () => {
  const operations = listOperations().map(({ operationId }) => operationId);
  expect(Object.keys(ACCESS_RULES).toSorted()).toEqual(operations.toSorted());
});
