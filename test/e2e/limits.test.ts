/** Limits over two real processes on one SQLite file. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectData, type AdminClient } from "../../src/admin/client.ts";
import {
  adminOf,
  createHome,
  readFirstSecrets,
  type Home,
  type KeywardProcess,
} from "../support/keyward-process.ts";
import { until } from "../support/poll.ts";

let home: Home;
let first: KeywardProcess;
let second: KeywardProcess;
let admin: AdminClient;
let gatewayKey = "";

beforeAll(async () => {
  home = await createHome();
  first = await home.start();
  const secrets = readFirstSecrets(first);
  gatewayKey = secrets.gatewayKey;
  second = await home.start();
  admin = adminOf(second, secrets.adminToken);
}, 120_000);
afterAll(() => home.remove());

interface Answered {
  readonly status: number;
  readonly limit: string | null;
  /** What the body says, where the call was refused. */
  readonly refusal: string;
  leave(): void;
}

/** A stream of the simulator that goes on until it is left; its head tells whether it was let through. */
async function call(
  keyward: KeywardProcess,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answered> {
  const leaving = new AbortController();
  const answer = await fetch(`${keyward.url}/v1/chat/completions`, {
    method: "POST",
    signal: leaving.signal,
    headers: {
      authorization: `Bearer ${gatewayKey}`,
      "content-type": "application/json",
      "x-simulator-fault": "slow",
      ...headers,
    },
    body: JSON.stringify({
      model: "gpt-4o-mini",
      stream: true,
      messages: [{ role: "user", content: "hello" }],
    }),
  });
  return {
    status: answer.status,
    limit: answer.headers.get("x-ratelimit-limit-requests"),
    refusal: answer.ok ? "" : await answer.text(),
    leave: () => leaving.abort(),
  };
}

/** Resolves when the whole answer has come. */
async function answeredBy(keyward: KeywardProcess, headers: Readonly<Record<string, string>>) {
  const { status } = await fetch(`${keyward.url}/v1/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${gatewayKey}`,
      "content-type": "application/json",
      connection: "close",
      ...headers,
    },
    body: JSON.stringify({ model: "gpt-4o-mini", messages: [{ role: "user", content: "hello" }] }),
  }).then(async (answer) => {
    await answer.text();
    return answer;
  });
  return status;
}

async function burst(
  keyward: KeywardProcess,
  count: number,
  headers: Readonly<Record<string, string>> = {},
) {
  return await Promise.all(Array.from({ length: count }, () => call(keyward, headers)));
}

const isForSlots = ({ status, refusal }: Answered): boolean =>
  status === 429 && /calls? at a time/.test(refusal);

const statusOf = ({ status }: Answered): number => status;

it("hold for both within a second of being set: exactly so many calls, whichever process they come to", async () => {
  const scope = { kind: "customer" } as const;
  expectData(await admin.POST("/limits", { body: { scope, requestsPerMinute: 30 } }));
  for (const keyward of [first, second]) {
    await until("the limit has arrived", async () => {
      const answer = await call(keyward, { "x-keyward-customer": "somebody" });
      answer.leave();
      return answer.limit === "30";
    });
  }
  const acme = { "x-keyward-customer": "acme" };
  const answers = (await Promise.all([burst(first, 40, acme), burst(second, 40, acme)])).flat();
  for (const answer of answers) answer.leave();
  const admitted = answers.filter(({ status }) => status === 200).length;
  expect(admitted).toBeLessThanOrEqual(30);
  expect(new Set(answers.map(statusOf))).toEqual(new Set([200, 429]));
});

it("on calls at a time refuse no call of somebody who makes one after the other, wherever they arrive", async () => {
  const scope = { kind: "feature", id: "alone" } as const;
  expectData(await admin.POST("/limits", { body: { scope, concurrency: 1 } }));
  const alone = { "x-keyward-feature": "alone" };
  for (const keyward of [first, second]) {
    await until("the limit has arrived", async () => {
      const answers = await burst(keyward, 2, alone);
      for (const answer of answers) answer.leave();
      return answers.some(isForSlots);
    });
  }
  await until("what was left has ended", async () => (await answeredBy(first, alone)) === 200);
  const statuses: number[] = [];
  for (let i = 0; i < 40; i += 1) {
    statuses.push(await answeredBy(i % 3 === 0 ? first : second, alone));
  }
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
});

it("on calls at a time are freed by a process that is killed", async () => {
  const limit = expectData(
    await admin.POST("/limits", { body: { scope: { kind: "organization" }, concurrency: 2 } }),
  );
  await until("nobody else is let in", async () => {
    const answers = await burst(first, 3);
    const isLimited = answers.some(isForSlots);
    if (!isLimited) for (const answer of answers) answer.leave();
    return isLimited;
  });
  await until("the other process knows of the limit, too", async () => {
    const answer = await call(second);
    answer.leave();
    return isForSlots(answer);
  });
  expect(await call(second)).toSatisfy(isForSlots);
  await first.kill();
  await until("the slots are free again", async () => (await call(second)).status === 200, 30_000);
  const { data } = await admin.GET("/limits/{id}", { params: { path: { id: limit.id } } });
  expect(data?.uses).toMatchObject([{ callsInFlight: expect.any(Number) as number }]);
}, 60_000);
