import { expect, test } from "vitest";
import { cliUnderTest } from "../../../test/support/cli-under-test.ts";

const cli = cliUnderTest();
const secretOf = (letter: string) => ["sk", "proj", letter.repeat(40)].join("-");

async function addKey(account: string, letter: string, ...more: string[]): Promise<string> {
  await cli.json(["provider-accounts", "create", "--name", account, "--kind", "organization"]);
  const words = ["--account", account, "--environment", "staging", "--name", account, ...more];
  const added = await cli.json(["provider-keys", "add", "--secret-stdin", ...words], {
    stdin: `${secretOf(letter)}\n`,
  });
  return (added as { id: string }).id;
}

test("a rule is added, told, tried out, changed and removed", async () => {
  await cli.install();
  await addKey("eu", "a", "--weight", "3");
  const us = await addKey("us", "b");
  const environment = ["--environment", "staging"];
  const rule = ["routing-rules", "create", ...environment, "--model", "fast"];
  const added = await cli.run([...rule, "--target-model", "gpt-4o-mini"]);
  const id = /rul_\w+/.exec(added.stdout)?.[0] ?? "";
  expect(added).toMatchObject({ code: 0, stderr: "" });

  const list = await cli.run(["routing-rules", "list"]);
  expect(list.stdout).toMatch(/staging +1 +fast +as gpt-4o-mini +2 +rul_/);
  const tried = await cli.run(["routing-rules", "test", ...environment, "--model", "fast"]);
  expect(tried.stdout).toContain("fast, sent as gpt-4o-mini");
  expect(tried.stdout).toMatch(/eu +eu +openai +3 +75% +–/);

  await cli.run(["routing-rules", "update", id, "--account", "us", "--target-model", "none"]);
  await cli.run(["provider-keys", "update", us, "--weight", "0"]);
  const changed = await cli.run(["routing-rules", "test", ...environment, "--model", "fast"]);
  expect(changed.stdout).toMatch(/us +us +openai +0 +spare/);
  expect(changed.stderr).toContain("not with eu of eu: the rule does not allow it");

  const unasked = await cli.run(["routing-rules", "remove", id]);
  expect(unasked.code).not.toBe(0);
  expect(await cli.run(["routing-rules", "remove", id, "--yes"])).toMatchObject({ code: 0 });
  expect((await cli.run(["routing-rules", "list"])).stderr).toContain("no routing rules");
});

test("a rule that allows no key yet says what becomes of its calls", async () => {
  await cli.install();
  await cli.json(["provider-accounts", "create", "--name", "eu", "--kind", "organization"]);
  const words = ["--environment", "staging", "--model", "gpt-4*", "--account", "eu"];
  const added = await cli.run(["routing-rules", "create", ...words]);
  expect(added.stderr).toContain("calls for gpt-4* are refused until there is one");
  const tried = await cli.run(["routing-rules", "test", ...words.slice(0, 2), "--model", "gpt-4o"]);
  expect(tried.stdout).toContain("routing_rule_unusable");
});

test("mistakes are told by their flags", async () => {
  await cli.install();
  const words = ["routing-rules", "create", "--environment", "staging", "--model", "gpt-4o"];
  const nobody = await cli.run([...words, "--account", "nobody"]);
  expect(nobody).toMatchObject({ code: 1 });
  expect(nobody.stderr).toContain("nobody");
  expect(await cli.run([...words, "--account", "x", "--position", "first"])).toMatchObject({
    code: 2,
  });
  expect(await cli.run(["routing-rules", "update", "rul_x"])).toMatchObject({ code: 2 });
});
