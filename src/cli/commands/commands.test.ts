import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cliUnderTest } from "../../../test/support/cli-under-test.ts";

const cli = cliUnderTest();
const providerSecret = (): string =>
  ["sk", "proj", randomBytes(24).toString("base64url")].join("-");

async function withAccount(): Promise<void> {
  await cli.install();
  await cli.json(["provider-accounts", "create", "--name", "main", "--kind", "organization"]);
}

interface Listed {
  readonly data: readonly {
    readonly id: string;
    readonly name: string;
    readonly status?: string;
  }[];
}

describe("every list and create", () => {
  test("what is created is listed, in tables and as JSON", async () => {
    await cli.install();
    const created = [
      ["projects", "--name", "bot"],
      ["environments", "--name", "preview", "--kind", "staging"],
      ["customers", "--external-id", "acme"],
      ["provider-accounts", "--name", "main", "--kind", "organization"],
    ];
    for (const [noun = "", flag = "", name = "", ...rest] of created) {
      const answer = await cli.json([noun, "create", flag, name, ...rest]);
      const list = (await cli.json([noun, "list"])) as Listed;
      expect(list.data[0]).toEqual(answer);
      const { stdout } = await cli.run([noun, "list"]);
      expect(stdout.split("\n")[1]).toMatch(new RegExp(`^${name} .*${list.data[0]?.id}$`));
    }
  });

  test("what is refused exits with 1 and says why", async () => {
    await cli.install();
    await cli.run(["projects", "create", "--name", "bot"]);
    const again = await cli.run(["projects", "create", "--name", "bot"]);
    expect(again).toMatchObject({ code: 1, stdout: "" });
    expect(again.stderr).toMatch(/^error: .*already/);
  });

  test("a page says how to get at the next", async () => {
    await cli.install();
    const first = await cli.run(["environments", "list", "--limit", "2"]);
    const cursor = /^more: --cursor (\S+)$/m.exec(first.stderr)?.[1] ?? "";
    const second = await cli.run(["environments", "list", "--limit", "2", "--cursor", cursor]);
    expect([first, second].map(({ stdout }) => stdout.trim().split("\n").length)).toEqual([3, 2]);
    expect(second.stderr).toBe("");
  });
});

describe("gateway keys", () => {
  test("a key stands alone on standard output, once", async () => {
    await cli.install();
    const created = await cli.run(["keys", "create", "--environment", "staging", "--name", "ci"]);
    expect(created.stdout).toMatch(/^kw_stg_[0-9A-Za-z]{49}\n$/);
    const listed = await cli.run(["keys", "list", "--json"]);
    expect(listed.stdout).not.toContain(created.stdout.trim());
  });

  test("an expiry from now on is worked out with this machine's clock", async () => {
    await cli.install();
    const words = [
      "keys",
      "create",
      "--environment",
      "staging",
      "--name",
      "ci",
      "--expires",
      "36525d",
    ];
    expect(await cli.json([...words, "--model", "a", "--model", "b"])).toMatchObject({
      expiresAt: "2126-02-01T09:30:00.000Z",
      allowedModels: ["a", "b"],
    });
  });

  test("revoking asks, and takes silence for a no", async () => {
    await cli.install();
    const id = ((await cli.json(["keys", "list"])) as Listed).data[0]?.id ?? "";
    const terminal = { isInteractive: true };
    expect(await cli.run(["keys", "revoke", id], { ...terminal, stdin: "\n" })).toMatchObject({
      code: 1,
      stdout: "",
    });
    expect((await cli.run(["keys", "revoke", id])).stderr).toContain("add --yes");
    const status = async () => ((await cli.json(["keys", "list"])) as Listed).data[0]?.status;
    expect(await status()).toBe("active");
    const agreed = await cli.run(["keys", "revoke", id], { ...terminal, stdin: "y\n" });
    expect(agreed).toMatchObject({ code: 0 });
    expect(await status()).toBe("revoked");
  });
});

describe("provider keys", () => {
  const add = ["provider-keys", "add", "--account", "main", "--environment", "staging"];

  test.each(["stdin", "env", "prompt"])(
    "a secret comes from %s and is never shown",
    async (way) => {
      await withAccount();
      const secret = providerSecret();
      const [flags, options] = {
        stdin: [["--secret-stdin"], { stdin: `${secret}\n` }] as const,
        env: [["--secret-env", "SECRET"], { env: { SECRET: secret } }] as const,
        prompt: [[], { isInteractive: true, stdin: `${secret}\n` }] as const,
      }[way as "stdin"];
      const added = await cli.run([...add, ...flags], options);
      expect(added).toMatchObject({ code: 0 });
      const listed = await cli.run(["provider-keys", "list", "--json"]);
      for (const { stdout, stderr } of [added, listed]) {
        expect(stdout + stderr).toContain(`sk-proj-…${secret.slice(-4)}`);
        expect(stdout + stderr).not.toContain(secret);
      }
    },
  );

  test("a secret on the command line is refused with a reason, and not repeated", async () => {
    await withAccount();
    const secret = providerSecret();
    for (const words of [["--secret", secret], [`--secret=${secret}`], [secret]]) {
      const { code, stdout, stderr } = await cli.run([...add, ...words]);
      expect(code).toBe(2);
      expect(stdout + stderr).not.toContain(secret);
    }
    const { stderr } = await cli.run([...add, "--secret", secret]);
    expect(stderr).toContain("not taken from the command line");
    expect(stderr).toContain("--secret-stdin");
  });

  test("an empty secret, a variable that is not there and no terminal are each named", async () => {
    await withAccount();
    expect((await cli.run([...add, "--secret-stdin"], { stdin: " \n" })).stderr).toContain("empty");
    const unset = await cli.run([...add, "--secret-env", "NOPE"]);
    expect(unset.stderr).toContain("the environment variable NOPE is not set");
    const secret = providerSecret();
    expect((await cli.run([...add, "--secret-env", secret])).stderr).not.toContain(secret);
    expect((await cli.run(add)).stderr).toContain("no terminal");
    const huge = await cli.run([...add, "--secret-stdin"], { stdin: "x".repeat(20_000) });
    expect(huge.stderr).toContain("16384 bytes");
  });

  test("revoking names the secret by its preview and stops its use", async () => {
    await withAccount();
    const key = (await cli.json([...add, "--secret-stdin"], { stdin: providerSecret() })) as {
      id: string;
    };
    const revoked = await cli.json(["provider-keys", "revoke", key.id, "--yes"]);
    expect(revoked).toMatchObject({ id: key.id, status: "revoked" });
  });
});

describe("what is refused", () => {
  test("is named by the flags that were typed, not by the API's parameters", async () => {
    await cli.install();
    const words = ["keys", "create", "--environment", "staging", "--name", "ci"];
    const past = await cli.run([...words, "--expires", "2020-01-01"]);
    expect(past).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: --expires must/),
    });
    const empty = await cli.run([...words, "--model", "gpt-5", "--model", ""]);
    expect(empty).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: --model must/) });
    const range = await cli.run(["usage", "events", "--from", "1d", "--to", "2d"]);
    expect(range.stderr).toContain("--to must be later than --from");
    const account = ["provider-accounts", "create", "--kind", "organization", "--name", "x"];
    const local = await cli.run([...account, "--provider", "openai-compatible"]);
    expect(local.stderr).toContain("--base-url is required: the provider `openai-compatible`");
    const foreign = await cli.run([
      ...account,
      "--provider",
      "anthropic",
      "--api-version",
      "latest",
    ]);
    expect(foreign.stderr).toContain("--api-version means nothing to the provider `anthropic`");
  });

  test("shows the providers with their addresses, and takes an account of one by its name", async () => {
    await cli.install();
    const { stdout } = await cli.run(["providers", "list"]);
    expect(stdout).toMatch(/anthropic.*Anthropic.*anthropic.*https:\/\/api\.anthropic\.com\/v1/);
    expect(stdout).toMatch(/azure.*such as https:\/\/my-resource\.openai\.azure\.com/);
    expect(stdout).toMatch(/simulator.*built in/);
    const words = ["provider-accounts", "create", "--kind", "organization", "--json"];
    const url = "https://r.openai.azure.com/openai/v1/";
    const given = ["--provider", "azure", "--api-version", "2024-10-21", "--base-url", url];
    const azure = await cli.run([...words, "--name", "az", ...given]);
    expect(JSON.parse(azure.stdout)).toMatchObject({
      provider: "azure",
      baseUrl: "https://r.openai.azure.com",
      apiVersion: "2024-10-21",
    });
  });

  test("says where to look up an id or a name that is not there", async () => {
    await cli.install();
    const of = async (...words: string[]) => (await cli.run(words)).stderr;
    expect(await of("keys", "revoke", "key_nope", "--yes")).toContain("next: keyward keys list");
    const key = ["--environment", "staging", "--account", "nope", "--secret-stdin"];
    expect(await of("provider-keys", "list", "--account", "nope")).toContain("provider-accounts");
    const added = await cli.run(["provider-keys", "add", ...key], { stdin: providerSecret() });
    expect(added.stderr).toContain("keyward provider-accounts list");
    expect(await of("projects", "create", "--name", "default")).toContain(
      "next: keyward projects list",
    );
    const prod = await of("keys", "list", "--environment", "prod");
    expect(prod).toContain("did you mean `production`?");
    expect(prod).toContain("next: keyward environments list");
  });
});

describe("without an installation", () => {
  test("a data directory whose database is elsewhere is told from an empty one", async () => {
    mkdirSync(cli.dataDir);
    writeFileSync(join(cli.dataDir, "root.key"), "");
    const { code, stderr } = await cli.run(["keys", "list"]);
    expect(code).toBe(1);
    expect(stderr).toContain("KEYWARD_DATABASE_URL");
    expect(stderr).not.toContain("keyward start");
  });

  test("a command says how to get one, and makes nothing", async () => {
    const { code, stderr } = await cli.run(["keys", "list"]);
    expect(code).toBe(1);
    expect(stderr).toContain(`no Keyward in ${cli.dataDir} yet`);
    expect(stderr).toContain("keyward start");
    expect((await cli.run(["keys", "list"])).stderr).toBe(stderr);
  });

  test("prices and estimates are there all the same", async () => {
    const words = ["estimate", "--model", "gpt-4o-mini", "--input", "500", "--output", "1500"];
    expect(await cli.json(words)).toMatchObject({ pricing: "priced", costUsd: "0.000975" });
    expect((await cli.run(words)).stdout).toContain("$0.000975");
    expect((await cli.run(["prices", "list", "--model", "gpt-4o-mini"])).stdout).toContain("0.15");
  });

  test("a model without a price is an error, with the names that are near", async () => {
    const { code, stderr } = await cli.run(["estimate", "--model", "gpt-4o-mni", "--input", "1"]);
    expect(code).toBe(1);
    expect(stderr).toContain("gpt-4o-mini");
  });
});

test("a wrong setting stops a command with every problem, its source and no secret", async () => {
  await cli.install();
  writeFileSync(join(cli.cwd, "keyward.config.json"), '{"prot": 1}');
  const env = { KEYWARD_PORT: "x", KEYWARD_ADMIN_TOKEN: "hunter2" };
  const { code, stderr } = await cli.run(["keys", "list"], { env });
  expect(code).toBe(2);
  for (const source of ["KEYWARD_PORT", "KEYWARD_ADMIN_TOKEN", "prot in keyward.config.json"]) {
    expect(stderr).toContain(source);
  }
  expect(stderr).not.toContain("hunter2");
});
