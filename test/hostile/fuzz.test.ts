/**
 * Requests and answers that a seeded generator writes and injures, against a real `keyward start` between raw sockets.
 * `KEYWARD_FUZZ_ROUNDS` makes it longer, `KEYWARD_FUZZ_SEED` another one; `npm run fuzz` does both.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { ERROR_CODES } from "../../src/core/errors/codes.ts";
import { listEvents } from "../support/list-events.ts";
import { besiege, expectAtRest, type BesiegedKeyward } from "./support/besieged-keyward.ts";
import { answerHostilely, UPSTREAM_HEADER } from "./support/hostile-answer.ts";
import {
  AMBIGUOUS_HEADER,
  createHostileRequest,
  ROUND_HEADER,
  SMUGGLED_TARGET,
  type HostileRequest,
} from "./support/hostile-request.ts";
import type { ParsedResponse } from "./support/parse-responses.ts";
import { Random } from "./support/random.ts";
import { openConnection } from "./support/raw-connection.ts";
import type { UpstreamRequest } from "./support/raw-upstream.ts";

const SEED = Number(process.env["KEYWARD_FUZZ_SEED"] ?? 1);
/** What fits into the suite; longer runs say what they saw. */
const SHORT = 600;
const ROUNDS = Number(process.env["KEYWARD_FUZZ_ROUNDS"] ?? SHORT);
const FIRST_ROUND = Number(process.env["KEYWARD_FUZZ_FIRST_ROUND"] ?? 0);
const WORKERS = 24;
/** Two streams of choices a round: what the client does, and what the provider does. */
const CLIENT = 1;
const PROVIDER = 2;
const MAX_RESIDENT_MIB = 700;

let besieged: BesiegedKeyward;
/** How often each kind of ending was seen: a generator that has lost its teeth would pass every test. */
const outcomes = new Map<string, number>();
/** What the provider was sent and should not have been. */
const leaks: string[] = [];

beforeAll(async () => {
  besieged = await besiege(
    {
      KEYWARD_LOG_LEVEL: "error",
      KEYWARD_CLIENT_HEADERS_TIMEOUT_MS: "300",
      KEYWARD_CLIENT_IDLE_TIMEOUT_MS: "400",
      KEYWARD_CLIENT_REQUEST_TIMEOUT_MS: "1000",
      KEYWARD_KEEP_ALIVE_TIMEOUT_MS: "300",
      KEYWARD_UPSTREAM_HEADERS_TIMEOUT_MS: "400",
      KEYWARD_UPSTREAM_BODY_IDLE_TIMEOUT_MS: "400",
      KEYWARD_MAX_ATTEMPTS: "1",
      KEYWARD_CIRCUIT_FAILURES: "0",
    },
    { keepsRequests: false },
  );
  besieged.upstream.respond = (request) => {
    inspect(request);
    const round = Number(valueOf(request, ROUND_HEADER) ?? 0);
    answerHostilely(new Random(SEED, PROVIDER, Number.isSafeInteger(round) ? round : 0), request);
  };
});
afterAll(async () => {
  await besieged.close();
});

test(
  `${ROUNDS} rounds of seed ${SEED}: every answer is well-formed, nothing is smuggled, the ledger adds up`,
  { timeout: 60_000 + ROUNDS * 1_000 },
  async () => {
    let next = FIRST_ROUND;
    const worker = async (): Promise<void> => {
      for (let round = next++; round < FIRST_ROUND + ROUNDS; round = next++) {
        await attack(round).catch((error: unknown) => {
          throw new Error(
            `KEYWARD_FUZZ_SEED=${SEED} KEYWARD_FUZZ_FIRST_ROUND=${round} KEYWARD_FUZZ_ROUNDS=1 repeats this`,
            { cause: error },
          );
        });
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, worker));
    if (ROUNDS > SHORT) process.stdout.write(`${JSON.stringify(Object.fromEntries(outcomes))}\n`);
    if (FIRST_ROUND === 0) expect([...outcomes.keys()]).toEqual(expect.arrayContaining(EXPECTED));
    await expectAtRest(besieged);
    expect(leaks).toEqual([]);
    expect(await besieged.residentMib()).toBeLessThan(MAX_RESIDENT_MIB);
    await expectLedgerAddsUp();
    expect(besieged.keyward.output()).not.toContain("failed in Keyward");
    expect(besieged.keyward.output()).not.toContain("admin API failed");
  },
);

const EXPECTED = [
  "closed",
  "from the provider",
  "invalid_api_key",
  "invalid_json",
  "malformed_request",
  "request_timeout",
  "unknown_url",
  "upstream_failed",
  "upstream_timeout",
];

async function attack(round: number): Promise<void> {
  const request = createHostileRequest(new Random(SEED, CLIENT, round), round, besieged.key);
  const connection = await openConnection(besieged.url);
  try {
    await send(connection, request);
    if (request.ending === "resets") return;
    await connection.answered();
    // Throws where it is no sequence of well-formed answers.
    const { responses } = connection.responses();
    for (const response of responses) note(checkAnswer(response));
    if (responses.length === 0) note("closed");
  } finally {
    connection.close();
  }
}

async function send(
  connection: Awaited<ReturnType<typeof openConnection>>,
  { pieces, ending }: HostileRequest,
): Promise<void> {
  for (const piece of pieces) {
    connection.send(piece);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  if (ending === "resets") connection.reset();
  if (ending === "half-closes") connection.socket.end();
}

function note(outcome: string): void {
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}

/** The provider's own, or one of Keyward's: then an error of the table, with the status of the table. */
function checkAnswer({ status, headers, body }: ParsedResponse): string {
  if (headers.has(UPSTREAM_HEADER) || status < 400) {
    expect(headers.get("set-cookie")).toBeUndefined();
    return headers.has(UPSTREAM_HEADER) ? "from the provider" : String(status);
  }
  // A provider's answer whose mark was injured, and nothing else, may look like this.
  if (headers.has("x-keyward-environment") && !headers.has("x-should-retry")) {
    return "from the provider, without its mark";
  }
  expect(headers.get("content-type")).toMatch(/^application\/json/);
  const { error } = JSON.parse(body.toString()) as { error: { code?: string; message: string } };
  expect(error.message).toMatch(/./);
  if (error.code === undefined) return "in Anthropic's shape"; // In Anthropic's shape, which has no codes.
  expect(ERROR_CODES).toHaveProperty(error.code);
  expect(status).toBe(ERROR_CODES[error.code as keyof typeof ERROR_CODES].status);
  return error.code;
}

function valueOf(request: UpstreamRequest, wanted: string): string | undefined {
  return request.headers.find(([name]) => name === wanted)?.[1];
}

const WITHHELD =
  /^(x-keyward-.*|cookie|te|trailer|expect|upgrade|x-forwarded-for|openai.organization|transfer_encoding)$/;

function inspect(request: UpstreamRequest): void {
  const { requestLine, headers } = request;
  const keys = headers.filter(([name]) => name === "authorization").map(([, value]) => value);
  const names = headers.map(([name]) => name);
  if (keys.length !== 1 || !/^Bearer sk-hostile-h+$/.test(keys[0] ?? ""))
    leaks.push(`keys: ${keys.join()}`);
  if (names.some((name) => WITHHELD.test(name))) leaks.push(`headers: ${names.join()}`);
  if (headers.some(([, value]) => value.includes(besieged.key))) leaks.push("the gateway key");
  if (requestLine.includes(SMUGGLED_TARGET)) leaks.push(requestLine);
  if (!/^[A-Z]+ \/v1(?:[/?]| HTTP)/.test(requestLine)) leaks.push(requestLine);
  if (names.includes(AMBIGUOUS_HEADER)) {
    leaks.push(`ambiguous: ${request.body.toString("latin1", 0, 300)}`);
  }
}

/** Each provider call is one event: those that reached the provider, and those that broke off on the way there. */
async function expectLedgerAddsUp(): Promise<void> {
  const events = await listEvents(besieged.admin);
  const { upstream } = besieged;
  const requests = upstream.requestCount();
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  expect(events.filter(({ status }) => status === "unknown")).toEqual([]);
  const unanswered = events.filter(({ httpStatus }) => httpStatus === null).length;
  expect(requests).toBeGreaterThan(ROUNDS / 5);
  expect(events.length).toBeGreaterThanOrEqual(requests);
  expect(events.length).toBeLessThanOrEqual(requests + upstream.brokenOff() + unanswered);
}
