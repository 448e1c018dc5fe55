/** `keyward start --processes 2`: two workers on one port and one SQLite file, and what becomes of those that are killed. */
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Agent, request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AdminClient, expectData } from "../../src/admin/client.ts";
import { adminOf, createHome, readFirstSecrets, type Home } from "../support/keyward-process.ts";
import type { FirstSecrets, KeywardProcess } from "../support/keyward-process.ts";
import { listEvents } from "../support/list-events.ts";
import { until } from "../support/poll.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

/** Connections by which both workers are reached, whatever the kernel does: all at one has a chance of 1 in 8 million. */
const CONCURRENCY = 24;
/** Calls at a time while a worker starts, which needs the processors, too. */
const LOAD = 8;

let upstream: Upstream;
let home: Home;
let keyward: KeywardProcess;
let secrets: FirstSecrets;
/** Calls that the upstream carried out, by the name that the call went by. */
const carriedOut: string[] = [];
/** Answers that wait until a test lets them go. */
const held: (() => void)[] = [];

beforeAll(async () => {
  upstream = await startUpstream((_req, res, seen) => {
    const { user } = JSON.parse(seen.body.toString()) as { user: string };
    carriedOut.push(user);
    const answer = (): void => {
      res.setHeader("content-type", "application/json");
      const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
      res.end(JSON.stringify({ id: user, model: "gpt-4o-mini", choices: [], usage }));
    };
    if (user.startsWith("held")) held.push(answer);
    else answer();
  });
  home = await createHome();
  keyward = await home.start({ args: ["--processes", "2"] });
  secrets = readFirstSecrets(keyward);
  await addUpstream(admin());
}, 60_000);
afterAll(async () => {
  await home.remove();
  await upstream.close();
});

const admin = (): AdminClient => adminOf(keyward, secrets.adminToken);

/** Asked once more where the connection was to a worker that has been killed. */
async function running() {
  return expectData(await askStatus().catch(askStatus)).processes;
}

const askStatus = () => admin().GET("/status");

async function addUpstream(client: AdminClient): Promise<void> {
  const account = expectData(
    await client.POST("/provider-accounts", {
      body: { name: "local", provider: "openai", kind: "personal", baseUrl: `${upstream.url}/v1` },
    }),
  );
  const secret = ["sk", "local", "b".repeat(20)].join("-");
  expectData(
    await client.POST("/provider-keys", {
      body: { accountId: account.id, environment: "development", name: "local", secret },
    }),
  );
}

/** One call; the status, undefined when the connection broke. */
async function chat(user: string, dispatcher: Agent): Promise<number | undefined> {
  try {
    const res = await request(`${keyward.url}/v1/chat/completions`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${secrets.gatewayKey}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ model: "gpt-4o-mini", messages: [], user }),
      dispatcher,
    });
    res.body.on("error", () => undefined);
    res.body.resume();
    await once(res.body, "close");
    return res.statusCode;
  } catch {
    return undefined;
  }
}

/** Whether every call of the round was seen. */
function hasAll(seen: string, round: number): boolean {
  const names = Array.from({ length: CONCURRENCY }, (_, index) => `"tail-${round}-${index}"`);
  return names.every((name) => seen.includes(name));
}

/** A connection each: the kernel spreads connections, not calls. */
function agents(count: number): Agent[] {
  return Array.from({ length: count }, () => new Agent({ connections: 1 }));
}

/** Sends calls that the upstream holds back until each worker carries some. */
async function holdCalls(name: string): Promise<Promise<number | undefined>[]> {
  const before = held.length;
  const calls = agents(CONCURRENCY).map((agent, index) => chat(`held-${name}-${index}`, agent));
  await until("the upstream has them all", () => held.length === before + CONCURRENCY);
  return calls;
}

const release = (): void => {
  for (const answer of held.splice(0)) answer();
};

describe("two workers on one port", () => {
  it("are announced once, and both answer", async () => {
    expect(keyward.stdout().match(/Keyward is running at/g)).toHaveLength(1);
    const processes = await running();
    expect(processes.map(({ state }) => state)).toEqual(["running", "running"]);
    const answering = new Set<string>();
    await until("both have answered", async () => {
      // A connection of its own each time: one that is kept open stays with its worker.
      const res = await fetch(`${keyward.url}/api/v1/status`, {
        headers: { authorization: `Bearer ${secrets.adminToken}`, connection: "close" },
      });
      const status = (await res.json()) as { processes: { id: string; isAnswering: boolean }[] };
      for (const { id, isAnswering } of status.processes) if (isAnswering) answering.add(id);
      return answering.size === 2;
    });
    expect(processes.map(({ id }) => id).toSorted()).toEqual([...answering].toSorted());
  });

  it("are scraped together, whichever of them is asked", async () => {
    await Promise.all(agents(CONCURRENCY).map((agent, index) => chat(`scraped-${index}`, agent)));
    const scrape = await fetch(`${keyward.url}/metrics`, { headers: { connection: "close" } });
    const text = await scrape.text();
    const calls = [...text.matchAll(/^keyward_calls_total\{worker="(\d)".* (\d+)$/gm)];
    expect(calls.map(([, worker]) => worker)).toEqual(["1", "2"]);
    expect(calls.reduce((sum, [, , count]) => sum + Number(count), 0)).toBe(CONCURRENCY);
    expect(text).toContain('keyward_worker_up{worker="1"} 1\nkeyward_worker_up{worker="2"} 1');
  });

  it("tell whoever reads live calls of each other's calls", async () => {
    const tail = new AbortController();
    const res = await fetch(`${keyward.url}/api/v1/live/calls`, {
      headers: { authorization: `Bearer ${secrets.adminToken}` },
      signal: tail.signal,
    });
    const text = res.body?.pipeThrough(new TextDecoderStream());
    if (text === undefined) throw new Error("there is no stream");
    let seen = "";
    const reading = (async () => {
      for await (const piece of text) seen += piece;
    })().catch(() => undefined);
    // The others hear of the reader a moment later than it is there: calls are made until one of each worker is seen.
    const others = agents(CONCURRENCY);
    let isTold = false;
    for (let round = 0; round < 50 && !isTold; round += 1) {
      await Promise.all(others.map((agent, index) => chat(`tail-${round}-${index}`, agent)));
      isTold = await until("it is told", () => hasAll(seen, round), 500).catch(() => false);
    }
    expect(isTold).toBe(true);
    expect(seen.split("\n").filter((line) => line.includes('"kind":"dropped"'))).toEqual([]);
    tail.abort();
    await reading;
  });

  it("go on when one is killed under load: it is replaced, and its calls are recovered once", async () => {
    const before = await running();
    const victim = before[1];
    if (victim === undefined) throw new Error("there is no second process");
    const over = new AbortController();
    const statuses = new Set<number | undefined>();
    const load = agents(LOAD).map(async (agent, index) => {
      for (let call = 0; !over.signal.aborted; call += 1) {
        // Every other one comes on a connection of its own: one that does not serve yet gets none.
        const own = index % 2 === 0 ? undefined : new Agent({ connections: 1 });
        statuses.add(await chat(`load-${index}-${call}`, own ?? agent));
        await own?.destroy();
      }
    });
    const start = carriedOut.length;
    await until("the upstream is under load", () => carriedOut.length > start + 50);
    process.kill(victim.pid, "SIGKILL");
    const replaced = until(
      "another process in its place",
      async () => {
        const now = await running();
        return now.length === 2 && !now.some(({ id }) => id === victim.id) && now;
      },
      30_000,
    );
    const after = await replaced.finally(() => over.abort());
    expect(after.map(({ id }) => id)).toContain(before[0]?.id);
    await Promise.all(load);
    expect(statuses).toEqual(new Set([200, undefined]));
    await until("the survivors have flushed", async () => {
      const events = await listEvents(admin());
      return events.length >= new Set(carriedOut).size;
    });
    const customers = (await listEvents(admin())).map(({ customer }) => customer ?? "");
    expect(new Set(customers).size).toBe(customers.length);
    expect(carriedOut.filter((call) => !customers.includes(call))).toEqual([]);
  }, 60_000);

  it("finish their calls when the supervisor is asked to stop, and leave no journal", async () => {
    const calls = await holdCalls("stop");
    const stopped = keyward.stop();
    await until("the port is given up", async () => {
      return (await chat("late", new Agent({ connections: 1 }))) === undefined;
    });
    release();
    expect(new Set(await Promise.all(calls))).toEqual(new Set([200]));
    await stopped;
    expect(await keyward.exited()).toBe(0);
    expect(await readdir(join(home.directory, ".keyward", "journal"))).toEqual(["lock"]);
  }, 30_000);

  it("finish their calls and end when the supervisor is killed", async () => {
    keyward = await home.start({ args: ["--processes", "2"] });
    const pids = (await running()).map(({ pid }) => pid);
    const calls = await holdCalls("orphaned");
    await keyward.kill();
    // What is shown is that they serve on; there is no event for that.
    await delay(50);
    release();
    expect(new Set(await Promise.all(calls))).toEqual(new Set([200]));
    await until("no worker is left", () => pids.every((pid) => !isAlive(pid)));
    const events = await home.run("usage", "events", "--limit", "1", "--json");
    expect(JSON.parse(events.stdout)).toMatchObject({ data: [{ status: "succeeded" }] });
  }, 60_000);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
