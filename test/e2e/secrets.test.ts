/** Plants known secrets and words, uses everything once, and looks for them in all that Keyward wrote or answered. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectData } from "../../src/admin/client.ts";
import { adminOf, createHome, readFirstSecrets, type Home } from "../support/keyward-process.ts";
import { until } from "../support/poll.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

const PROVIDER_SECRET = ["sk", "svcacct", "planted".repeat(4)].join("-");
const PROMPT = "the-prompt-that-is-nobodys-business";
const ANSWER = "the-answer-that-is-nobodys-business";

let upstream: Upstream;
let home: Home;
beforeAll(async () => {
  upstream = await startUpstream((req, res) => {
    if (req.url?.includes("models") === true) {
      res.writeHead(500, { "content-type": "application/json" });
      res.end(JSON.stringify({ error: { message: ANSWER } }));
      return;
    }
    res.writeHead(200, { "content-type": "text/event-stream" });
    const chunk = { id: "c", model: "gpt-4o-mini", choices: [{ delta: { content: ANSWER } }] };
    res.write(`data: ${JSON.stringify(chunk)}\n\n`, () => {
      if (req.headers["x-break"] === "yes") req.socket.destroy();
      else res.end("data: [DONE]\n\n");
    });
  });
  home = await createHome();
}, 60_000);
afterAll(async () => {
  await home.remove();
  await upstream.close();
});

it("leaves no provider key, gateway key, admin token, prompt or answer anywhere", async () => {
  const keyward = await home.start({ args: ["--log-level", "debug"] });
  const secrets = readFirstSecrets(keyward);
  const admin = adminOf(keyward, secrets.adminToken);
  const account = expectData(
    await admin.POST("/provider-accounts", {
      body: { name: "a", provider: "openai", kind: "organization", baseUrl: `${upstream.url}/v1` },
    }),
  );
  const added = await admin.POST("/provider-keys", {
    body: { accountId: account.id, environment: "development", name: "k", secret: PROVIDER_SECRET },
  });
  expectData(added);
  const refused = await admin.POST("/provider-keys", {
    body: { accountId: account.id, environment: "staging", name: "k", secret: PROVIDER_SECRET },
  });
  expect(refused.response.status).toBe(409);

  const client = new OpenAI({
    baseURL: `${keyward.url}/v1`,
    apiKey: secrets.gatewayKey,
    maxRetries: 0,
  });
  const chat = {
    model: "gpt-4o-mini",
    messages: [{ role: "user" as const, content: PROMPT }],
    stream: true as const,
  };
  for await (const chunk of await client.chat.completions.create(chat)) void chunk;
  const broken = await client.chat.completions.create(chat, { headers: { "x-break": "yes" } });
  await expect(
    (async () => {
      for await (const chunk of broken) void chunk;
    })(),
  ).rejects.toThrow();
  await expect(client.models.list()).rejects.toThrow();
  await until("all calls are in the store", async () => {
    const { data } = expectData(await admin.GET("/usage/events"));
    return data.length === 3;
  });

  const answers: string[] = [JSON.stringify(added.data), JSON.stringify(refused.error)];
  for (const path of [
    "/provider-keys",
    "/provider-accounts",
    "/keys",
    "/usage/events",
    "/usage/summary",
    "/status",
  ] as const) {
    answers.push(JSON.stringify((await admin.GET(path)).data));
  }
  // The journal is looked at twice: while the process lives, and as a crash leaves it.
  const alive = await filesBelow(home.directory);
  await keyward.kill();
  const dead = await filesBelow(home.directory);
  expect([...dead.keys()].join("\n")).toMatch(/keyward\.db[^]*journal|journal[^]*keyward\.db/);

  const banner = keyward.stdout();
  const places = new Map([
    ...alive,
    ...dead,
    ["API answers", Buffer.from(answers.join("\n"))],
    ["log", Buffer.from(keyward.output().replace(banner, ""))],
  ]);
  const found: string[] = [];
  for (const [place, bytes] of places) {
    for (const needle of [
      PROVIDER_SECRET,
      secrets.gatewayKey,
      secrets.adminToken,
      PROMPT,
      ANSWER,
    ]) {
      for (const spelling of [
        needle,
        Buffer.from(needle).toString("base64").slice(0, 20),
        Buffer.from(needle).toString("hex"),
      ]) {
        if (bytes.includes(spelling)) found.push(`${needle.slice(0, 12)}… in ${place}`);
      }
    }
  }
  expect(found).toEqual([]);

  const second = await home.start();
  expect(second.output()).not.toMatch(/kw_(dev|admin)_\w{20,}/);
}, 60_000);

async function filesBelow(directory: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path, await readFile(path));
  }
  return files;
}
