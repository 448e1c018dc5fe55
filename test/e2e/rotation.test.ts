/** Rotation and provisioning as they happen: a real server under load, a provider that takes no key that was deleted, and `kill -9`. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AdminClient, expectData } from "../../src/admin/client.ts";
import {
  adminOf,
  createHome,
  type Home,
  type KeywardProcess,
  readFirstSecrets,
} from "../support/keyward-process.ts";
import { type DoubleRequest, OpenaiDouble } from "../support/openai-double.ts";
import { until } from "../support/poll.ts";

const TIMEOUT_MS = 120_000;
const CALLERS = 6;

let double: OpenaiDouble;
let server: Server;
let home: Home;
let keyward: KeywardProcess;
let admin: AdminClient;
let adminToken: string;
let gatewayKey: string;
let keyId: string;
/** Told of each request before it is carried out; what it awaits delays the answer. */
let onRequest: ((asked: DoubleRequest, isDone: boolean) => void) | undefined;

beforeAll(async () => {
  double = new OpenaiDouble();
  server = createServer((req, res) => void answer(req, res));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  home = await createHome();
  keyward = await home.start();
  ({ adminToken } = readFirstSecrets(keyward));
  admin = adminOf(keyward, adminToken);
  ({ keyId, gatewayKey } = await setUp());
}, TIMEOUT_MS);

afterAll(async () => {
  await home.remove();
  server.closeAllConnections();
  server.close();
});

async function setUp(): Promise<{ keyId: string; gatewayKey: string }> {
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const project = double.addProject("app");
  const serviceAccount = double.addServiceAccount(project.id, "app");
  const { secret } = double.addKey(project.id, serviceAccount.id, "first");
  const account = expectData(
    await admin.POST("/provider-accounts", {
      body: { name: "main", provider: "openai", kind: "organization", baseUrl },
    }),
  );
  const path = { id: account.id };
  const body = { secret: double.adminKey };
  expectData(await admin.PUT("/provider-accounts/{id}/admin-key", { params: { path }, body }));
  const key = expectData(
    await admin.POST("/provider-keys", {
      body: { accountId: account.id, environment: "production", name: "main", secret },
    }),
  );
  const issued = expectData(
    await admin.POST("/keys", { body: { environment: "production", name: "app" } }),
  );
  return { keyId: key.id, gatewayKey: issued.key };
}

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const asked = await readRequest(req);
  onRequest?.(asked, false);
  const { status, headers, body } = double.answer(asked);
  onRequest?.(asked, true);
  res.writeHead(status, { "content-type": "application/json", ...headers });
  res.end(JSON.stringify(body));
}

async function readRequest(req: IncomingMessage): Promise<DoubleRequest> {
  const body = await text(req);
  const { method = "GET", url = "/", headers } = req;
  const { authorization } = headers;
  return { method, path: url, authorization, body: body === "" ? undefined : JSON.parse(body) };
}

async function callOnce(): Promise<number> {
  const { statusCode, body } = await request(`${keyward.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${gatewayKey}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-4o-mini", messages: [] }),
  });
  await body.dump();
  return statusCode;
}

/** Where nobody calls, the test call is enough. */
async function rotate(graceSeconds: number): Promise<string> {
  const params = { path: { id: keyId } };
  const body = { graceSeconds, observeSeconds: 0 };
  return expectData(await admin.POST("/provider-keys/{id}/rotate", { params, body })).id;
}

async function rotationOf(id: string) {
  return expectData(await admin.GET("/rotations/{id}", { params: { path: { id } } }));
}

describe("a rotation", { timeout: TIMEOUT_MS }, () => {
  it("fails no call under load, and deletes the old key only after the new one was used", async () => {
    const [old] = double.keys;
    const statuses = new Map<number, number>();
    const load = new AbortController();
    const callers = Array.from({ length: CALLERS }, async () => {
      while (!load.signal.aborted) {
        const status = await callOnce();
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    });
    await until("calls are made", () => (statuses.get(200) ?? 0) > 50);
    let usesAtDeletion: number | undefined;
    onRequest = ({ method }, isDone) => {
      if (method !== "DELETE" || isDone) return;
      // One of these is the test call of Keyward itself.
      usesAtDeletion ??= double.keys.find((key) => key !== old)?.calls;
    };
    const id = await rotate(1);
    await until("it has ended", async () => (await rotationOf(id)).endedAt !== null, 60_000);
    const ended = await rotationOf(id);
    const before = statuses.get(200) ?? 0;
    await until("calls go on", () => (statuses.get(200) ?? 0) > before + 50);
    load.abort();
    await Promise.all(callers);
    onRequest = undefined;
    expect(ended).toMatchObject({ state: "done", oldSecret: "refused", verified: true });
    expect([...statuses.keys()]).toEqual([200]);
    expect(usesAtDeletion).toBeGreaterThan(1);
    expect(double.keys).toHaveLength(1);
    expect(double.keys).not.toContain(old);
    const key = expectData(
      await admin.GET("/provider-keys/{id}", { params: { path: { id: keyId } } }),
    );
    expect(key).toMatchObject({
      version: 2,
      rotationId: null,
      ownership: { owner: "service_account", source: "admin_api" },
      ownershipConflict: false,
    });
    const users = expectData(
      await admin.GET("/provider-keys/{id}/users", { params: { path: { id: keyId } } }),
    );
    expect(users.data).toMatchObject([{ gatewayKey: "app", customer: null }]);
  });

  it.each([
    ["has made the key and nobody has written it down", "POST", "/api_keys"],
    ["is told when the old key ends", "POST", "/api_keys/key_"],
    ["has deleted the old key", "DELETE", "/api_keys/"],
  ])(
    "killed when the provider %s, goes on after a start and leaves no orphan",
    async (_, method, path) => {
      let killed: Promise<void> | undefined;
      onRequest = (asked, isDone) => {
        const isMeant = asked.method === method && asked.path.includes(path);
        if (isDone && isMeant) killed ??= keyward.kill();
      };
      const id = await rotate(0);
      await until("it is killed", () => killed !== undefined, 60_000);
      await killed;
      onRequest = undefined;
      keyward = await home.start();
      admin = adminOf(keyward, adminToken);
      await until("it has ended", async () => (await rotationOf(id)).endedAt !== null, 60_000);
      expect(await rotationOf(id)).toMatchObject({ state: "done", oldSecret: "refused" });
      expect(double.keys).toHaveLength(1);
      expect(double.serviceAccounts).toHaveLength(1);
      expect(await callOnce()).toBe(200);
    },
  );

  it("tells by the command line how it goes, and keeps every secret to itself", async () => {
    const args = ["--url", keyward.url, "--token", adminToken];
    const rotated = await home.spawn(
      "provider-keys",
      "rotate",
      keyId,
      "--automatic",
      "--grace-seconds",
      "0",
      "--wait",
      "--observe-seconds",
      "0",
      ...args,
    );
    expect(rotated.code, rotated.stderr).toBe(0);
    expect(rotated.stdout).toContain("is refused by the provider");
    expect(rotated.stderr).toContain("active: the new secret is the key's");
    const listed = await home.run("rotations", "list", "--json", ...args);
    const shown = await home.run("provider-keys", "show", keyId, ...args);
    expect(shown.stdout).toContain("service account: owner.type: service_account");
    const [known] = double.keys;
    const stray = double.addKey(known?.projectId ?? "", null, "notebook");
    const audited = await home.run("provider-keys", "audit", "main", "--json", ...args);
    expect(JSON.parse(audited.stdout)).toMatchObject({
      data: [{ providerKeyId: stray.id, name: "notebook", owner: "user", project: "app" }],
    });
    double.keys.splice(double.keys.indexOf(stray), 1);
    const everything = [rotated, listed, shown, audited].flatMap(({ stdout, stderr }) => [
      stdout,
      stderr,
    ]);
    for (const secret of [double.adminKey, ...double.keys.map((key) => key.secret)]) {
      expect(everything.join("\n") + keyward.output()).not.toContain(secret);
    }
  });
});

describe("a provision", { timeout: TIMEOUT_MS }, () => {
  it("killed when the provider has made the key and nobody has written it down, ends with one of each", async () => {
    const args = ["--url", keyward.url, "--token", adminToken];
    const asked = ["provision", "openai", "--environment", "staging", "--account", "main"];
    const planned = await home.run(...asked, "--dry-run", "--json", ...args);
    expect(JSON.parse(planned.stdout)).toMatchObject({ account: "main", conflicts: [] });
    let killed: Promise<void> | undefined;
    onRequest = ({ method, path }, isDone) => {
      const isMeant = method === "POST" && path.endsWith("/service_accounts");
      if (isDone && isMeant) killed ??= keyward.kill();
    };
    const body = { environment: "staging", account: "main", monthlyLimitUsd: "25" };
    const { id } = expectData(await admin.POST("/provisions", { body }));
    await until("it is killed", () => killed !== undefined, 60_000);
    await killed;
    onRequest = undefined;
    keyward = await home.start();
    const now = ["--url", keyward.url, "--token", adminToken];
    const shown = await home.run("provisions", "show", id, "--wait", "--json", ...now);
    const provision = JSON.parse(shown.stdout) as { projectId: string; projectName: string };
    expect(provision, shown.stderr).toMatchObject({ state: "done", verified: true });
    expect(shown.stderr).toContain("key: the service account");
    const { projectId, projectName } = provision;
    const made = <Item extends { projectId: string }>(items: readonly Item[]) =>
      items.filter((item) => item.projectId === projectId);
    expect(double.projects.filter(({ name }) => name === projectName)).toHaveLength(1);
    expect(made(double.serviceAccounts)).toHaveLength(1);
    expect(made(double.keys)).toHaveLength(1);
    expect(double.spendLimits.get(projectId)).toMatchObject({ threshold_amount: 2_500 });
    const again = await home.run(...asked, ...now);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("rotate it, or ask for");
    for (const secret of [double.adminKey, ...double.keys.map((key) => key.secret)]) {
      expect([shown, again].map(({ stdout, stderr }) => stdout + stderr).join("")).not.toContain(
        secret,
      );
      expect(keyward.output()).not.toContain(secret);
    }
  });
});
