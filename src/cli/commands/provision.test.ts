import { expect, test } from "vitest";
import { cliUnderTest } from "../../../test/support/cli-under-test.ts";
import type { ProviderAccountId } from "../../core/ids/ids.ts";

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

test("provision takes the account with an admin key, and names those that have one where several do", async () => {
  await cli.install();
  const ids: string[] = [];
  for (const name of ["one", "two", "three"]) {
    const words = ["provider-accounts", "create", "--name", name, "--kind", "organization"];
    ids.push(((await cli.json(words)) as { id: string }).id);
  }
  const giveAdminKey = (id: string | undefined) =>
    cli.withStore(async (store) => {
      const account = await store.providerAccounts.findById(id as ProviderAccountId);
      const [key] = (await store.providerKeys.list({ limit: 1 })).rows;
      if (account === undefined || key === undefined) throw new Error("they are there");
      await store.rotation.adminKeys.put({
        accountId: account.id,
        version: 1,
        // Nobody opens it: what is in the way is found before.
        sealed: key.sealed,
        preview: "sk-admin-…",
        fingerprint: account.id,
        createdBy: "test",
        createdAtMs: 0,
      });
    });
  const add = ["provider-keys", "add", "--account", "two", "--environment", "production"];
  await cli.json([...add, "--secret-stdin"], { stdin: "x".repeat(40) });
  await giveAdminKey(ids[1]);
  const refused = await cli.run(WORDS);
  expect(refused.stderr).toContain("of this account already: rotate it, or ask for --another");
  await giveAdminKey(ids[2]);
  const { code, stderr } = await cli.run(WORDS);
  expect(code).toBe(2);
  expect(stderr).toMatch(/several accounts of openai with an admin key: (two, three|three, two)\n/);
});
