import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cliUnderTest } from "../../../test/support/cli-under-test.ts";
import { startOpenIdDouble } from "../../../test/support/openid-double.ts";
import { sampleRotationOf } from "../../../test/support/rotation-under-test.ts";
import { IdFactory } from "../../core/ids/ids.ts";
import { hashAdminToken } from "../../core/keys/admin-token.ts";
import { afterTrouble, enterState } from "../../core/rotation/rotation.ts";
import { KernelLock } from "../../ledger/file/kernel-lock.ts";
import { noteOwnUrl } from "../../runtime/own-url.ts";

const cli = cliUnderTest();
const rootKeyPath = (): string => join(cli.dataDir, "root.key");

interface Doctored {
  readonly isHealthy: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly remedy: string | null;
  }[];
}

/** The checks by name; `--json` prints them whatever the exit code is. */
async function doctor(env: Record<string, string> = {}) {
  // A port that is free: what else runs on this machine is not under test.
  const { code, stdout } = await cli.run(["doctor", "--json"], {
    env: { KEYWARD_PORT: "1", ...env },
  });
  const found = JSON.parse(stdout) as Doctored;
  expect(code).toBe(found.isHealthy ? 0 : 1);
  return { ...found, of: (name: string) => found.checks.find((one) => one.name === name) };
}

describe("doctor", () => {
  test("finds a fresh installation healthy, and warns where calls would be refused", async () => {
    await cli.install();
    const { isHealthy, checks, of } = await doctor();
    expect(isHealthy).toBe(true);
    expect(of("environment development")).toMatchObject({ status: "ok" });
    for (const name of ["staging", "production"]) {
      expect(of(`environment ${name}`)).toMatchObject({
        status: "warn",
        remedy: expect.stringContaining(`--environment ${name}`) as string,
      });
    }
    expect(checks.every(({ status, remedy }) => (status === "ok") === (remedy === null))).toBe(
      true,
    );
  });

  test("says where there is nothing yet", async () => {
    const { isHealthy, of } = await doctor();
    expect(isHealthy).toBe(false);
    expect(of("data directory")).toMatchObject({ status: "fail" });
  });

  test("finds a data directory and a root key that others may read", async () => {
    await cli.install();
    chmodSync(cli.dataDir, 0o755);
    chmodSync(rootKeyPath(), 0o644);
    const { isHealthy, of } = await doctor();
    expect(isHealthy).toBe(false);
    expect(of("data directory")).toMatchObject({
      status: "warn",
      remedy: `chmod 700 ${cli.dataDir}`,
    });
    expect(of("root key file")).toMatchObject({
      status: "fail",
      remedy: `chmod 600 ${rootKeyPath()}`,
    });
  });

  test("finds a root key that does not fit or is gone, and names the one that is needed", async () => {
    await cli.install();
    const { of } = await doctor({ KEYWARD_ROOT_KEY: randomBytes(32).toString("base64") });
    expect(of("root key")).toMatchObject({ status: "fail" });
    expect(of("root key")?.message).toMatch(/needs root key rtk_\w+ with fingerprint [0-9a-f]{16}/);
    rmSync(rootKeyPath());
    expect((await doctor()).of("root key file")).toMatchObject({ status: "fail" });
  });

  test("asks the identity provider of the settings whether it is one, and says where it leads back to", async () => {
    const double = await startOpenIdDouble();
    const env = { KEYWARD_OIDC_ISSUER: double.issuer, KEYWARD_OIDC_CLIENT_ID: "keyward" };
    const answering = await doctor({ ...env, KEYWARD_PUBLIC_URL: "https://keyward.example.com" });
    expect(answering.of("identity provider")).toMatchObject({
      status: "ok",
      message: expect.stringContaining(
        "https://keyward.example.com/api/v1/login/oidc/callback",
      ) as string,
    });
    const elsewhere = await doctor({ ...env, KEYWARD_HOST: "0.0.0.0" });
    expect(elsewhere.of("identity provider")).toMatchObject({ status: "warn" });
    await double.close();
    expect((await doctor(env)).of("identity provider")).toMatchObject({
      status: "fail",
      message: expect.stringContaining("does not answer") as string,
    });
  });

  test("finds journals of processes that are gone", async () => {
    await cli.install();
    const folder = join(cli.dataDir, "journal", `prc_${"0".repeat(26)}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "lock"), "");
    expect((await doctor()).of("journal")).toMatchObject({ status: "warn" });
  });

  test("finds the provider key that the app still reads, and does not show it", async () => {
    await cli.install();
    const secret = ["sk", "proj", randomBytes(24).toString("base64url")].join("-");
    writeFileSync(join(cli.cwd, ".env.local"), `OPENAI_API_KEY=${secret}\n`);
    const found = await doctor();
    expect(found.of("app key")).toMatchObject({ status: "warn" });
    expect(found.of("app key")?.message).toContain(".env.local");
    expect(found.of("app key")).toMatchObject({
      message: expect.stringContaining("not in the vault") as string,
      remedy: expect.stringContaining("keyward provider-accounts create") as string,
    });
    await cli.json(["provider-accounts", "create", "--name", "a", "--kind", "organization"]);
    const add = ["provider-keys", "add", "--account", "a", "--environment", "development"];
    await cli.json([...add, "--secret-stdin"], { stdin: secret });
    const held = await doctor();
    expect(held.of("app key")?.message).toContain("which is in the vault");
    expect(held.of("app key")?.remedy).toMatch(/^replace it/);
    expect(JSON.stringify([found, held])).not.toContain(secret);
  });

  test("finds a personal account's key that got into production behind Keyward's back", async () => {
    await cli.install();
    const create = ["provider-accounts", "create", "--name", "me", "--kind", "organization"];
    await cli.json(create);
    const add = ["provider-keys", "add", "--account", "me", "--environment", "production"];
    await cli.json([...add, "--secret-stdin"], { stdin: randomBytes(20).toString("hex") });
    expect((await doctor()).of("policy production")).toMatchObject({ status: "ok" });
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(join(cli.dataDir, "keyward.db"));
    database.exec("update provider_accounts set kind = 'personal'");
    database.close();
    expect((await doctor()).of("policy production")).toMatchObject({ status: "fail" });
  });
});

test("doctor and status say which key is not whose it was said to be, what tells, and which is to be rotated", async () => {
  await cli.install();
  await cli.json(["provider-accounts", "create", "--name", "main", "--kind", "organization"]);
  const ids: string[] = [];
  for (const environment of ["staging", "development"]) {
    const add = ["provider-keys", "add", "--account", "main", "--environment", environment];
    const stdin = ["sk", "None", randomBytes(20).toString("hex")].join("-");
    ids.push(((await cli.json([...add, "--secret-stdin"], { stdin })) as { id: string }).id);
  }
  await cli.json(["provider-keys", "update", ids[0] ?? "", "--rotate-every-days", "3"]);
  const { isHealthy, checks } = await doctor();
  expect(isHealthy).toBe(true);
  const ofAccount = checks.filter(({ name }) => name === "account main");
  // The rule against people's keys warns in staging, and is off in development.
  expect(ofAccount.map(({ status, remedy }) => [status, remedy === null])).toEqual([
    ["warn", false],
    ["ok", true],
  ]);
  expect(ofAccount[0]).toMatchObject({
    message: `account main is declared organization, and its key main (${ids[0]}) of staging looks personal (sk-None-)`,
    remedy: expect.stringContaining(`keyward provider-keys rotate ${ids[0]}`) as string,
  });
  expect(checks.find(({ name }) => name === "rotation")).toMatchObject({
    status: "warn",
    message: expect.stringContaining("it needs a new secret of you") as string,
    remedy: expect.stringContaining("set-admin-key main") as string,
  });
  const { stdout, stderr } = await cli.run(["status"], { env: { KEYWARD_PORT: "1" } });
  expect(stdout).toMatch(/^main +organization +2 personal$/m);
  expect(stderr).toContain(`warning: account main is declared organization`);
  expect(stderr).toContain("warning: the rotation of provider key main of staging is due");
});

test("a leaked key that still works is named by doctor, status and its own page until it is revoked", async () => {
  await cli.install();
  await cli.json(["environments", "policy", "staging", "--set", "leaked_keys=warn"]);
  const create = ["keys", "create", "--environment", "staging", "--name", "bot"];
  const { id, key } = (await cli.json(create)) as { id: string; key: string };
  await cli.json(["leaks", "report", "--secret-stdin"], { stdin: key });
  const env = { KEYWARD_PORT: "1" };
  const { isHealthy, of } = await doctor();
  expect(isHealthy).toBe(false);
  expect(of("leaked")).toMatchObject({
    status: "fail",
    message: expect.stringContaining("gateway key bot of staging was reported") as string,
    remedy: expect.stringContaining(`keyward keys revoke ${id}`) as string,
  });
  expect((await cli.run(["status"], { env })).stderr).toContain("gateway key bot of staging");
  expect((await cli.run(["keys", "show", id])).stderr).toContain(`keyward keys revoke ${id}`);
  expect((await cli.run(["leaks", "list"])).stdout).toMatch(/you were told +valid/);
  await cli.json(["keys", "revoke", id, "--yes"]);
  expect((await doctor()).of("leaked")).toBeUndefined();
  expect((await cli.run(["leaks", "list"])).stdout).toMatch(/you were told +ended \d{4}-/);
  expect((await cli.run(["keys", "show", id])).stderr).toBe("");
});

test("a rotation that failed is named by doctor and status until it is retried or called off", async () => {
  await cli.install();
  await cli.json(["provider-accounts", "create", "--name", "main", "--kind", "organization"]);
  const add = ["provider-keys", "add", "--account", "main", "--environment", "production"];
  const stdin = ["sk", "svcacct", randomBytes(20).toString("hex")].join("-");
  await cli.json([...add, "--secret-stdin"], { stdin });
  const rotation = await cli.withStore(
    async ({ environments, providerKeys, rotation: { rotations } }) => {
      const production = await environments.findByName("production");
      const [key] = production === undefined ? [] : await providerKeys.listActive(production.id);
      if (key === undefined) throw new Error("there is no key");
      const ids = new IdFactory({ nowMs: Date.now, randomBytes });
      const begun = sampleRotationOf({ ids }, key, 1);
      const trouble = { problem: "the provider says no", isFinal: true };
      const failed = afterTrouble(begun, trouble, 2);
      await rotations.insert(failed);
      return failed;
    },
  );
  const { isHealthy, of } = await doctor();
  expect(isHealthy).toBe(false);
  expect(of("rotation")).toMatchObject({
    status: "fail",
    message: expect.stringContaining(
      "the rotation of provider key main of production failed in create",
    ) as string,
    remedy: expect.stringContaining(`keyward rotations show ${rotation.id}`) as string,
  });
  const { stderr } = await cli.run(["status"], { env: { KEYWARD_PORT: "1" } });
  expect(stderr).toContain("the provider says no");
  const undone = await cli.withStore(({ rotation: { rotations } }) =>
    rotations.save(enterState(rotation, "undo", 3)),
  );
  expect((await doctor()).of("rotation")).toBeUndefined();
  // One that has ended is open no more, and has left something to do.
  const ended = { state: "done", endedAtMs: 4, isCompromise: true, oldFate: "valid" } as const;
  await cli.withStore(({ rotation: { rotations } }) =>
    rotations.save({ ...(undone ?? rotation), ...ended, oldCheckAtMs: 5 }),
  );
  const open = await cli.run(["rotations", "list", "--open"]);
  expect(open.stderr).toContain("no open rotations");
  expect(open.stderr).toContain(`keyward rotations confirm-revoked ${rotation.id}`);
});

describe("vault", () => {
  test("info says which root key is in use", async () => {
    await cli.install();
    expect(await cli.json(["vault", "info"])).toMatchObject({
      rootKey: {
        id: expect.stringMatching(/^rtk_/) as string,
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
        source: "file",
      },
    });
  });

  test("rotate-root puts a new key in place, and what was sealed still opens", async () => {
    await cli.install();
    await cli.json(["provider-accounts", "create", "--name", "a", "--kind", "organization"]);
    const add = ["provider-keys", "add", "--account", "a", "--environment", "staging"];
    await cli.json([...add, "--secret-stdin"], { stdin: randomBytes(20).toString("hex") });
    const before = readFileSync(rootKeyPath(), "utf8");
    const rotation = await cli.json(["vault", "rotate-root", "--yes"]);
    expect(readFileSync(rootKeyPath(), "utf8")).not.toBe(before);
    expect(rotation).toMatchObject({ dataKeys: 3 });
    const { current } = rotation as { current: { id: string } };
    expect(await cli.json(["vault", "info"])).toMatchObject({ rootKey: current });
    expect((await doctor()).of("root key")).toMatchObject({ status: "ok" });
    const { stderr } = await cli.run(["vault", "rotate-root", "--yes"]);
    expect(stderr).toContain(`backups from before open with root key ${current.id}`);
  });

  test("rotate-root takes the new key from its owner where the old one is set by hand", async () => {
    await cli.install();
    const old = { KEYWARD_ROOT_KEY: readFileSync(rootKeyPath(), "utf8").trim() };
    const refused = await cli.run(["vault", "rotate-root", "--yes"], { env: old });
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain("openssl rand");
    const next = randomBytes(32).toString("base64");
    const words = ["vault", "rotate-root", "--secret-stdin"];
    expect(await cli.run(words, { env: old, stdin: "short" })).toMatchObject({ code: 1 });
    await cli.json(words, { env: old, stdin: next });
    expect(await cli.run(["vault", "info"], { env: old })).toMatchObject({ code: 1 });
    await cli.json(["vault", "info"], { env: { KEYWARD_ROOT_KEY: next } });
  });
});

test("admin-token rotate leaves exactly one token that works", async () => {
  const { adminToken } = await cli.install();
  expect(await cli.run(["admin-token", "rotate"])).toMatchObject({ code: 1, stdout: "" });
  const { stdout } = await cli.run(["admin-token", "rotate", "--yes"]);
  await cli.withStore(async ({ adminTokens }) => {
    const find = (token: string) => adminTokens.findActiveByHash(hashAdminToken(token));
    expect(await find(stdout.trim())).toBeDefined();
    expect(await find(adminToken)).toBeUndefined();
  });
});

test("status says what is there and that no server runs", async () => {
  await cli.install();
  const env = { KEYWARD_PORT: "1" };
  const json = await cli.json(["status"], { env });
  expect(json).toMatchObject({ isRunning: false, startedAt: null, ledger: null });
  const { stdout } = await cli.run(["status"], { env });
  expect(stdout).toMatch(/^server +not running$/m);
  expect(stdout).toMatch(/^development +development +1 +0 +the built-in simulator$/m);
});

test("status and doctor find a server that was started on another port, by what it noted", async () => {
  await cli.install();
  const healthy = { service: "keyward", version: "1.2.3" };
  const server = createServer((_, res) => res.end(JSON.stringify(healthy))).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await noteOwnUrl(cli.dataDir, url);
  const env = { KEYWARD_PORT: "1" };
  const notRunning = { isRunning: false, urls: [] };
  const folder = join(cli.dataDir, "journal", `prc_${"0".repeat(26)}`);
  mkdirSync(folder, { recursive: true });
  try {
    // The note of one that is gone says nothing: another may listen there by now.
    expect(await cli.json(["status"], { env })).toMatchObject(notRunning);
    const lock = KernelLock.take(join(folder, "lock"));
    expect(lock).toBeDefined();
    try {
      expect(await cli.json(["status"], { env })).toMatchObject({ isRunning: true, urls: [url] });
      expect((await doctor()).of("port")).toMatchObject({
        status: "ok",
        message: `Keyward 1.2.3 answers at ${url}`,
      });
      const tail = await cli.run(["tail"], { env });
      expect(tail.stderr).toContain(`the admin API of ${url} needs a token`);
    } finally {
      lock?.release();
    }
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
});
