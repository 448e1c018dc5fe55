import { expect, test } from "vitest";
import { cliUnderTest } from "../../../test/support/cli-under-test.ts";

const cli = cliUnderTest();

test("a limit is made, told, changed and removed", async () => {
  await cli.install();
  const words = ["limits", "create", "--scope", "environment", "--of", "staging"];
  const made = await cli.run([...words, "--requests", "6000", "--concurrency", "5"]);
  expect(made).toMatchObject({ code: 0, stderr: "" });
  expect(made.stdout).toMatch(
    /^environment staging may take 6,000 requests per minute, 5 calls at a time \(lim_/,
  );
  const id = /lim_\w+/.exec(made.stdout)?.[0] ?? "";
  await cli.json(["limits", "create", "--scope", "customer", "--tokens", "1000"]);

  const list = await cli.run(["limits", "list"]);
  expect(list.stdout).toMatch(/each customer +– +1,000 +– /);
  expect(list.stdout).toMatch(/environment staging +6,000 +– +5 /);
  const one = await cli.run(["limits", "list", "--scope", "environment", "--of", "staging"]);
  expect(one.stdout).not.toContain("customer");

  const updated = await cli.run(["limits", "update", id, "--requests", "none", "--tokens", "9"]);
  expect(updated.stdout).toContain("may now take 9 tokens per minute, 5 calls at a time");
  const shown = await cli.run(["limits", "show", id]);
  expect([shown.stdout, shown.stderr]).toEqual([
    expect.stringContaining("9 tokens per minute"),
    expect.stringContaining("nothing counts now"),
  ]);

  expect((await cli.run(["limits", "remove", id])).code).not.toBe(0);
  expect(await cli.run(["limits", "remove", id, "--yes"])).toMatchObject({ code: 0 });
  expect((await cli.run(["limits", "show", id])).stderr).toContain("no limit of this id");
});

test("a key is issued with a limit of its own", async () => {
  await cli.install();
  const words = ["keys", "create", "--environment", "staging", "--name", "bot"];
  const issued = await cli.json([...words, "--requests", "60"]);
  expect(issued).toMatchObject({ limit: { requestsPerMinute: 60, concurrency: null } });
});

test("mistakes are told by their flags", async () => {
  await cli.install();
  const create = ["limits", "create", "--scope"];
  expect(await cli.run([...create, "team", "--requests", "5"])).toMatchObject({ code: 2 });
  expect(await cli.run([...create, "organization", "--requests", "many"])).toMatchObject({
    code: 2,
  });
  const unlimited = await cli.run([...create, "organization"]);
  expect([unlimited.code, unlimited.stderr]).toEqual([
    1,
    expect.stringContaining("must limit something. --requests is not set; --tokens is not set"),
  ]);
  const nobody = await cli.run([...create, "customer", "--of", "nobody", "--tokens", "5"]);
  expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining("nobody")]);
  expect(await cli.run(["limits", "update", "lim_x"])).toMatchObject({ code: 2 });
});
