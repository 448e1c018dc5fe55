import { expect, test } from "vitest";
import { cliUnderTest } from "../../../test/support/cli-under-test.ts";

const cli = cliUnderTest();
const WORDS = ["provision", "openai", "--environment", "production"];

test("provision shows what it would make, from the environment's budgets, and makes nothing", async () => {
  await cli.install();
  const { code, stdout, stderr } = await cli.run([...WORDS, "--dry-run"]);
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/^account +openai, which would be added with the admin key$/m),
  ]);
  expect(stdout).toMatch(/^project +keyward-production-<id>$/m);
  expect(stdout).toMatch(/^spend limit +none$/m);
  expect(stderr).toContain("no hard budget counts every call of the environment");
  const scope = ["--scope", "environment", "--of", "production"];
  await cli.json(["budgets", "create", ...scope, "--limit", "20", "--period", "week"]);
  const planned = await cli.run([...WORDS, "--dry-run"]);
  expect(planned.stdout).toMatch(/^spend limit +\$100 a month, from budget bud_/m);
  expect(await cli.json(["provider-accounts", "list"])).toMatchObject({ data: [] });
  expect(await cli.json(["provisions", "list"])).toMatchObject({ data: [] });
});

test("provision asks for the admin key before it adds anything, and takes none from the command line", async () => {
  await cli.install();
  const unasked = await cli.run(WORDS);
  expect(unasked.code).toBe(2);
  expect(unasked.stderr).toContain("--secret-stdin or --secret-env NAME");
  const typed = await cli.run([...WORDS, "--secret", "x"]);
  expect(typed.stderr).toContain("every user of this machine can read it there");
  const nowhere = await cli.run(["provision", "openai", "--environment", "prodution"]);
  expect(nowhere.code).toBe(1);
  expect(nowhere.stderr).toContain("did you mean `production`?");
  expect((await cli.run(["provision", "azure", "--environment", "production"])).code).toBe(2);
  expect(await cli.json(["provider-accounts", "list"])).toMatchObject({ data: [] });
});

test("provision does not guess which of several accounts is meant", async () => {
  await cli.install();
  for (const name of ["one", "two"]) {
    await cli.json(["provider-accounts", "create", "--name", name, "--kind", "organization"]);
  }
  const { code, stderr } = await cli.run(WORDS);
  expect(code).toBe(2);
  expect(stderr).toContain("name one with --account");
});
