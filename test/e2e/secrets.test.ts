/** Plants known secrets and words, uses everything once, and looks for them in all that Keyward wrote or answered. */
import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
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
  const needles = [PROVIDER_SECRET, secrets.gatewayKey, secrets.adminToken, PROMPT, ANSWER];
  expect(placesOf(needles, places)).toEqual([]);

  const second = await home.start();
  expect(second.output()).not.toMatch(/kw_(dev|admin)_\w{20,}/);
  await second.stop();
}, 60_000);

it("leaves nothing of what people log in with and hand in anywhere, in a crash neither", async () => {
  const planted = {
    rootKey: randomBytes(32).toString("base64"),
    adminToken: `settings-${randomBytes(16).toString("hex")}`,
    metricsToken: `metrics-${randomBytes(16).toString("hex")}`,
    password: `a-pass-phrase-${randomBytes(8).toString("hex")}`,
    wrongPassword: `a-wrong-one-${randomBytes(8).toString("hex")}`,
    webhookUrl: `${upstream.url}/hook/${randomBytes(12).toString("hex")}`,
    smtpPassword: randomBytes(12).toString("hex"),
    first: ["sk", "svcacct", randomBytes(12).toString("hex")].join("-"),
    next: ["sk", "svcacct", randomBytes(12).toString("hex")].join("-"),
    refused: ["sk", "None", randomBytes(12).toString("hex")].join("-"),
    openaiAdminKey: ["sk", "admin", randomBytes(12).toString("hex")].join("-"),
    unknownKey: ["kw", "dev", randomBytes(24).toString("hex")].join("_"),
    unknownToken: ["kw", "admin", randomBytes(24).toString("hex")].join("_"),
  };
  const own = await createHome({
    KEYWARD_ROOT_KEY: planted.rootKey,
    KEYWARD_ADMIN_TOKEN: planted.adminToken,
    KEYWARD_METRICS_TOKEN: planted.metricsToken,
    PLANTED: JSON.stringify(Object.values(planted)),
    NODE_OPTIONS: `--import=${join(import.meta.dirname, "../support/crash-on-signal.mjs")}`,
  });
  onTestFinished(() => own.remove());
  const keyward = await own.start({ args: ["--log-level", "debug"] });
  const banner = keyward.stdout();
  const admin = adminOf(keyward, planted.adminToken);
  const said: string[] = [];
  const say = (answer: { data?: unknown; error?: unknown }): void => {
    said.push(JSON.stringify([answer.data, answer.error]));
  };

  const account = expectData(
    await admin.POST("/provider-accounts", {
      body: { name: "b", provider: "openai", kind: "organization", baseUrl: `${upstream.url}/v1` },
    }),
  );
  const body = { accountId: account.id, environment: "development", name: "k" };
  const added = expectData(
    await admin.POST("/provider-keys", { body: { ...body, secret: planted.first } }),
  );
  say(
    await admin.POST("/provider-keys", {
      body: { ...body, environment: "production", secret: planted.refused },
    }),
  );
  say(
    await admin.POST("/provider-keys/{id}/rotate", {
      params: { path: { id: added.id } },
      body: { secret: planted.next, observeSeconds: 0, graceSeconds: 0 },
    }),
  );
  say(
    await admin.PUT("/provider-accounts/{id}/admin-key", {
      params: { path: { id: account.id } },
      body: { secret: planted.openaiAdminKey },
    }),
  );
  say(
    await admin.POST("/alert-channels", {
      body: {
        name: "mail",
        kind: "email",
        smtpUrl: `smtp://alerts:${planted.smtpPassword}@127.0.0.1:9`,
        sender: "keyward@example.com",
        recipients: ["ops@example.com"],
      },
    }),
  );
  const hook = { name: "hook", kind: "webhook", url: planted.webhookUrl } as const;
  const { signingSecret, ...channel } = expectData(
    await admin.POST("/alert-channels", { body: hook }),
  );
  say(await admin.POST("/alert-channels/{id}/test", { params: { path: { id: channel.id } } }));
  const { token: scopedToken } = expectData(
    await admin.POST("/admin-tokens", { body: { name: "scoped", role: "viewer" } }),
  );
  const { link } = expectData(
    await admin.POST("/invitations", { body: { email: "anna@example.com", role: "developer" } }),
  );
  const linkSecret = link.split(/[#=/]/).at(-1) ?? "";
  const joined = await admin.POST("/invitations/accept", {
    body: { secret: linkSecret, password: planted.password },
  });
  expect(joined.response.status).toBe(201);
  const session = /=([^;]+);/.exec(joined.response.headers.get("set-cookie") ?? "")?.[1] ?? "";
  const email = "anna@example.com";
  say(await admin.POST("/login", { body: { email, password: planted.wrongPassword } }));
  say(await admin.POST("/login", { body: { email, password: planted.password } }));
  const gateway = expectData(
    await admin.POST("/keys", { body: { environment: "development", name: "planted" } }),
  );
  const rotated = expectData(
    await admin.POST("/keys/{id}/rotate", { params: { path: { id: gateway.id } }, body: {} }),
  );
  for (const key of [gateway.key, rotated.key, planted.unknownKey]) {
    const headers = { authorization: `Bearer ${key}` };
    said.push(await (await fetch(`${keyward.url}/v1/models`, { headers })).text());
  }
  say(await adminOf(keyward, planted.unknownToken).GET("/keys"));
  for (const path of await listingPaths(keyward.url)) {
    const headers = { authorization: `Bearer ${planted.adminToken}` };
    const answer = await fetch(`${keyward.url}/api/v1${path}`, { headers });
    said.push(await answer.text());
  }
  for (const command of ["doctor", "audit export"]) {
    const { stdout, stderr } = await own.spawn(...command.split(" "));
    said.push(stdout, stderr);
  }

  const alive = await filesBelow(own.directory);
  keyward.child.kill("SIGUSR2");
  expect(await keyward.exited()).toBe(1);
  expect(keyward.output()).toContain("error: a fault in Keyward");
  expect(keyward.output()).toContain("the crash that was asked for");
  expect(signingSecret).toBeTruthy();
  const needles = [
    ...Object.values(planted),
    scopedToken,
    linkSecret,
    session,
    gateway.key,
    rotated.key,
    signingSecret ?? "",
  ];
  for (const needle of needles) expect(needle.length).toBeGreaterThan(20);
  const places = new Map([
    ...alive,
    ...(await filesBelow(own.directory)),
    ["answers", Buffer.from(said.join("\n"))],
    ["output", Buffer.from(keyward.output().replace(banner, ""))],
  ]);
  expect(placesOf(needles, places)).toEqual([]);
  expect(said.length).toBeGreaterThan(40);
}, 60_000);

/** Every route that lists or shows something without being told which. */
async function listingPaths(url: string): Promise<readonly string[]> {
  const { paths } = (await (await fetch(`${url}/api/v1/openapi.json`)).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  return Object.entries(paths)
    .filter(([path, methods]) => "get" in methods && !path.includes("{") && path !== "/live/calls")
    .map(([path]) => path.replace(/^\/api\/v1/, ""));
}

/** Where which of them are found, in clear or in a spelling that is as good. */
function placesOf(
  needles: readonly string[],
  places: ReadonlyMap<string, Buffer>,
): readonly string[] {
  const found: string[] = [];
  for (const [place, bytes] of places) {
    for (const needle of needles) {
      const spellings = [
        needle,
        Buffer.from(needle).toString("base64").slice(0, 20),
        Buffer.from(needle).toString("hex"),
        encodeURIComponent(needle),
      ];
      if (spellings.some((spelling) => bytes.includes(spelling))) {
        found.push(`${needle.slice(0, 12)}… in ${place}`);
      }
    }
  }
  return found;
}

async function filesBelow(directory: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path, await readFile(path));
  }
  return files;
}
