import { describe, expect, test } from "vitest";
import { cliUnderTest } from "../../../test/support/cli-under-test.ts";

const cli = cliUnderTest();

interface Key {
  readonly id: string;
  readonly name: string;
  readonly status: string;
}

async function create(name: string, ...flags: string[]): Promise<Key> {
  const words = ["keys", "create", "--environment", "staging", "--name", name, ...flags];
  return (await cli.json(words)) as Key;
}

describe("keyward keys", () => {
  test("rotates: the new secret stands alone on standard output, and what becomes of the old one is said", async () => {
    await cli.install();
    const { id } = await create("bot");
    const rotated = await cli.run(["keys", "rotate", id, "--overlap", "2h"]);
    expect(rotated.stdout).toMatch(/^kw_stg_[0-9A-Za-z]{49}\n$/);
    expect(rotated.stderr).toMatch(/is accepted until \d{4}-/);
    const shown = await cli.run(["keys", "show", id]);
    expect(shown.stdout).toMatch(/is accepted until \d{4}-/);
    expect(shown.stdout).not.toContain(rotated.stdout.trim());
    expect((await cli.run(["keys", "rotate", id, "--cancel"])).stdout).toContain("old secret");
    const both = await cli.run(["keys", "rotate", id, "--cancel", "--overlap", "1h"]);
    expect(both).toMatchObject({ code: 2 });
    expect((await cli.run(["keys", "rotate", id, "--overlap", "soon"])).stderr).toContain("24h");
  });

  test("changes what is named and nothing else; any and never take a limit away", async () => {
    await cli.install();
    const { id } = await create("bot", "--endpoint", "@text", "--ip", "10.0.0.0/8");
    const update = (...flags: string[]) => cli.json(["keys", "update", id, ...flags]);
    expect(await update("--expires", "36525d", "--endpoint", "embeddings")).toMatchObject({
      allowedEndpoints: ["embeddings"],
      allowedIps: ["10.0.0.0/8"],
      expiresAt: "2126-02-01T09:30:00.000Z",
    });
    expect(await update("--ip", "any", "--expires", "never", "--for-browsers")).toMatchObject({
      allowedEndpoints: ["embeddings"],
      allowedIps: null,
      expiresAt: null,
      isForBrowsers: true,
    });
    expect(await cli.run(["keys", "update", id])).toMatchObject({ code: 2 });
    const wrong = await cli.run(["keys", "update", id, "--ip", "10.0.0.1/8"]);
    expect(wrong.stderr).toContain("--ip");
    expect(wrong.stderr).toContain("10.0.0.0/8");
  });

  test("revokes many only when that is agreed to, and says beforehand which", async () => {
    await cli.install();
    for (const name of ["ci-1", "ci-2", "bot"]) await create(name);
    const filter = ["keys", "revoke", "--environment", "staging", "--name-prefix", "ci-"];
    const dry = await cli.run([...filter, "--dry-run"]);
    expect(dry.stdout).toContain("ci-1");
    expect(dry.stdout).not.toContain("bot");
    expect(dry.stderr).toContain("2 gateway keys would be revoked");
    const refused = await cli.run(filter, { isInteractive: true, stdin: "n\n" });
    expect(refused).toMatchObject({ code: 1 });
    const agreed = await cli.run(filter, { isInteractive: true, stdin: "y\n" });
    expect(agreed.stdout).toContain("revoked 2 gateway keys");
    const { data } = (await cli.json(["keys", "list", "--environment", "staging"])) as {
      data: readonly Key[];
    };
    expect(data.map(({ name, status }) => [name, status])).toEqual([
      ["bot", "active"],
      ["ci-2", "revoked"],
      ["ci-1", "revoked"],
    ]);
    expect(await cli.run(["keys", "revoke"])).toMatchObject({ code: 2 });
    expect((await cli.run(["keys", "unused", "--never"])).stdout).toContain("bot");
  });
});

test("an endpoint that nobody knows is told of, with the one that was meant", async () => {
  await cli.install();
  const words = ["keys", "create", "--environment", "development", "--name", "bot", "--endpoint"];
  const typo = await cli.run([...words, "chat/completion"]);
  expect(typo).toMatchObject({ code: 0 });
  expect(typo.stderr).toMatch(
    /no endpoint `chat\/completion`.* Did you mean `chat\/completions`\?/,
  );
  expect((await cli.run([...words, "nonsense/path"])).stderr).toContain("meters none of that name");
  expect((await cli.run([...words, "@text"])).stderr).not.toContain("warning");
  const policy = ["environments", "policy", "staging", "--allow-endpoint", "embedding"];
  expect((await cli.run(policy)).stderr).toContain("Did you mean `embeddings`?");
});

describe("keyward environments policy", () => {
  test("shows every rule, and changes those that are named", async () => {
    await cli.install();
    const shown = await cli.run(["environments", "policy", "production"]);
    expect(shown.stdout).toMatch(/no_browser_calls\s+enforce\s+a browser's call/);
    expect(shown.stdout).toMatch(/no_simulator_keys\s+warn\s+a provider key of the simulator/);
    const words = ["environments", "policy", "production", "--set", "no_browser_calls=warn"];
    expect(
      await cli.json([...words, "--allow-model", "gpt-4o*", "--max-output-tokens", "4096"]),
    ).toMatchObject({
      rules: { no_browser_calls: "warn", allowed_ips: "enforce" },
      allowedModels: ["gpt-4o*"],
      maxOutputTokens: 4096,
    });
    const back = ["--set", "no_browser_calls=default", "--allow-model", "any"];
    expect(
      await cli.json([
        "environments",
        "policy",
        "production",
        ...back,
        "--max-output-tokens",
        "none",
      ]),
    ).toMatchObject({
      rules: { no_browser_calls: "enforce" },
      allowedModels: null,
      maxOutputTokens: null,
    });
    for (const wrong of ["no_browsers=off", "allowed_ips=maybe", "allowed_ips"]) {
      const refused = await cli.run(["environments", "policy", "staging", "--set", wrong]);
      expect(refused).toMatchObject({ code: 2 });
    }
  });
});
