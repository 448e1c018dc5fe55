/**
 * The promise of the product, client by client: an app whose code knows nothing of Keyward, run in a process of its own,
 * moves onto it by two environment variables. What the client says it used is what the ledger has, and its errors are
 * its own. The provider behind is the simulator, taken for OpenAI or Anthropic, so that the prices are theirs.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectData, type AdminClient } from "../../src/admin/client.ts";
import { formatUsd, type Picos } from "../../src/core/money/picos.ts";
import { countTokens } from "../../src/providers/simulator/content/text-tokens.ts";
import { startSimulator, type Simulator } from "../../src/providers/simulator/start-simulator.ts";
import {
  adminOf,
  createHome,
  readFirstSecrets,
  type Home,
  type KeywardProcess,
} from "../support/keyward-process.ts";
import { until } from "../support/poll.ts";
import { runApp, type AppReport, type StepOutcome } from "./client-app.ts";

/** Picos a token, from the published prices: $0.15 and $0.60 a million, $0.02 for embeddings, $3 and $15. */
const PRICES = {
  "gpt-4o-mini": { input: 150_000n, output: 600_000n },
  "text-embedding-3-small": { input: 20_000n, output: 0n },
  "claude-sonnet-4-6": { input: 3_000_000n, output: 15_000_000n },
};
const RETRY_AFTER_SECONDS = 1;

const CHAT = ["chat.completions"];
const RESPONSES = ["responses"];
const OPENAI_STEPS = {
  chat: CHAT,
  chatStream: CHAT,
  chatStreamWithoutUsage: CHAT,
  toolCall: CHAT,
  toolResult: CHAT,
  structured: CHAT,
  responses: RESPONSES,
  responsesStream: RESPONSES,
  embeddings: ["embeddings"],
};
const FRAMEWORK_STEPS = {
  chat: CHAT,
  chatStream: CHAT,
  toolCall: CHAT,
  structured: CHAT,
  responses: RESPONSES,
  responsesStream: RESPONSES,
  embeddings: ["embeddings"],
};
const AGENT_STEPS = {
  responses: RESPONSES,
  responsesStream: RESPONSES,
  toolCall: [...RESPONSES, ...RESPONSES],
  structured: RESPONSES,
  chat: CHAT,
  chatStream: CHAT,
};

const MESSAGES = ["messages"];
const MESSAGE_STEPS = {
  messages: MESSAGES,
  messagesStream: MESSAGES,
  toolUse: MESSAGES,
  toolResult: MESSAGES,
  structured: MESSAGES,
  countTokens: ["messages.count_tokens"],
};

type Variables = Readonly<Record<string, string>>;

interface ClientCase {
  /** Of the case, and of the app where that has no other. */
  readonly name: string;
  readonly app?: string;
  readonly provider: "openai" | "anthropic";
  /** The app's environment, for each of its keys. */
  readonly variables: (gatewayUrl: string, key: string) => Variables;
  /** The calls that each step comes to, in order. */
  readonly steps: Readonly<Record<string, readonly string[]>>;
  /** The classes of its errors for a bad key and for a limit that stays. */
  readonly errors: { readonly badKey: string; readonly limited: string };
}

const OPENAI = {
  provider: "openai" as const,
  variables: (url: string, key: string): Variables => ({
    OPENAI_BASE_URL: `${url}/v1`,
    OPENAI_API_KEY: key,
  }),
};
const OPENAI_ERRORS = { badKey: "AuthenticationError", limited: "RateLimitError" };
const CLIENTS: readonly ClientCase[] = [
  { name: "openai", ...OPENAI, steps: OPENAI_STEPS, errors: OPENAI_ERRORS },
  { name: "openai-v6", ...OPENAI, steps: OPENAI_STEPS, errors: OPENAI_ERRORS },
  { name: "openai-v4", ...OPENAI, steps: OPENAI_STEPS, errors: OPENAI_ERRORS },
  {
    name: "ai-sdk",
    ...OPENAI,
    steps: FRAMEWORK_STEPS,
    errors: { badKey: "APICallError", limited: "RetryError" },
  },
  { name: "langchain", ...OPENAI, steps: FRAMEWORK_STEPS, errors: OPENAI_ERRORS },
  {
    name: "openai-agents",
    provider: "openai",
    // It would send its traces to OpenAI, whatever the base URL.
    variables: (url, key) => ({
      ...OPENAI.variables(url, key),
      OPENAI_AGENTS_DISABLE_TRACING: "1",
    }),
    steps: AGENT_STEPS,
    errors: OPENAI_ERRORS,
  },
  {
    name: "anthropic",
    provider: "anthropic",
    variables: (url, key) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: key }),
    steps: MESSAGE_STEPS,
    errors: OPENAI_ERRORS,
  },
  {
    name: "anthropic-auth-token",
    app: "anthropic",
    provider: "anthropic",
    variables: (url, key) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_AUTH_TOKEN: key }),
    steps: MESSAGE_STEPS,
    errors: OPENAI_ERRORS,
  },
];

/** What is tried here, as it lies in `node_modules`. */
const PACKAGES = [
  "openai",
  "openai-v6",
  "openai-v4",
  "ai",
  "@ai-sdk/openai",
  "@langchain/openai",
  "@openai/agents",
  "@anthropic-ai/sdk",
];

let simulator: Simulator;
let home: Home;
let keyward: KeywardProcess;
let admin: AdminClient;
let runs: ReadonlyMap<string, Runs>;

interface Runs {
  readonly keyId: string;
  /** After one 429 all is well. */
  readonly good: AppReport;
  readonly badKey: AppReport;
  readonly limited: AppReport;
}

beforeAll(async () => {
  simulator = await startSimulator({ host: "127.0.0.1", port: 0, nowMs: Date.now });
  home = await createHome();
  keyward = await home.start();
  admin = adminOf(keyward, readFirstSecrets(keyward).adminToken);
  // All apps at once: much of the time they wait, as long as `retry-after` says.
  const ran = CLIENTS.map(async (one) => [one.name, await runThrice(one)] as const);
  runs = new Map(await Promise.all(ran));
});
afterAll(async () => {
  await home.remove();
  await simulator.close();
});

async function runThrice({ name, app = name, provider, variables }: ClientCase): Promise<Runs> {
  const good = await environmentWith(
    { name, provider },
    `429;retry-after=${RETRY_AFTER_SECONDS};times=1;label=${name}`,
  );
  const limited = await environmentWith(
    { name: `${name}-limited`, provider },
    `429;retry-after=0;label=${name}`,
  );
  const wrongKey = `${good.key.slice(0, -1)}${good.key.endsWith("0") ? "1" : "0"}`;
  const runWith = (key: string) => runApp(app, variables(keyward.url, key));
  return {
    keyId: good.id,
    good: await runWith(good.key),
    badKey: await runWith(wrongKey),
    limited: await runWith(limited.key),
  };
}

/** An environment of the app's own, where the provider has the fault, and a gateway key for it. */
async function environmentWith(
  { name, provider }: Pick<ClientCase, "name" | "provider">,
  fault: string,
): Promise<{ readonly key: string; readonly id: string }> {
  expectData(await admin.POST("/environments", { body: { name, kind: "staging" } }));
  const account = expectData(
    await admin.POST("/provider-accounts", {
      body: { name, provider, kind: "organization", baseUrl: simulator.baseUrl },
    }),
  );
  const body = { accountId: account.id, environment: name, name, secret: `sim:${fault}` };
  expectData(await admin.POST("/provider-keys", { body }));
  return expectData(await admin.POST("/keys", { body: { environment: name, name } }));
}

function runsOf(name: string): Runs {
  const found = runs.get(name);
  if (found === undefined) throw new Error(`${name} did not run`);
  return found;
}

async function eventsOf(keyId: string, count: number) {
  return until(`${count} calls are in the store`, async () => {
    const query = { key: keyId, limit: 200 };
    const { data } = expectData(await admin.GET("/usage/events", { params: { query } }));
    return data.length >= count ? data.toReversed() : undefined;
  });
}

describe.each(CLIENTS)("$name", ({ name, steps, errors }) => {
  const operations = Object.values(steps).flat();

  test("does all that it does at the provider, and speaks to nobody else", () => {
    const { good: report } = runsOf(name);
    expect(report.error).toBeNull();
    expect(Object.keys(report.done)).toEqual(Object.keys(steps));
    for (const [step, { text }] of Object.entries(report.done)) expect(text, step).not.toBe("");
    expect(report.outbound).toEqual([]);
  });

  test("waits as long as retry-after says, and is then served", async () => {
    const { keyId } = runsOf(name);
    const [refused, served] = await eventsOf(keyId, operations.length + 1);
    expect(refused).toMatchObject({ status: "failed", httpStatus: 429, costUsd: "0" });
    expect(served).toMatchObject({ status: "succeeded", operation: refused?.operation });
    const waitedMs = Date.parse(served?.startedAt ?? "") - Date.parse(refused?.startedAt ?? "");
    expect(waitedMs).toBeGreaterThanOrEqual(RETRY_AFTER_SECONDS * 1000);
  });

  test("is in the ledger call by call, with the tokens that it saw, at their cost", async () => {
    const { good: report, keyId } = runsOf(name);
    const events = (await eventsOf(keyId, operations.length + 1)).slice(1);
    expect(events.map(({ operation }) => operation)).toEqual(operations);
    const usages = Object.values(report.done).flatMap(usagesOf);
    for (const [index, event] of events.entries()) {
      expect(event).toMatchObject({ environment: name, status: "succeeded" });
      if (event.operation === "messages.count_tokens") {
        expect(event).toMatchObject({ usageSource: "none", costUsd: "0" });
        continue;
      }
      const { input, output } = PRICES[event.servedModel as keyof typeof PRICES];
      const cost = BigInt(event.inputTokens) * input + BigInt(event.outputTokens) * output;
      expect(event).toMatchObject({
        usageSource: "reported",
        pricing: "priced",
        costUsd: formatUsd(cost as Picos),
      });
      expect(event.inputTokens).toBeGreaterThan(0);
      const { outputTokens, inputTokens } = event;
      if (usages[index] !== null)
        expect({ input: inputTokens, output: outputTokens }).toEqual(usages[index]);
    }
    const texts = Object.entries(report.done).filter(([step]) =>
      /^chat|^responses|^messages/.test(step),
    );
    for (const [step, { text }] of texts) {
      const at = Object.keys(steps)
        .slice(0, Object.keys(steps).indexOf(step))
        .flatMap((earlier) => steps[earlier] ?? []).length;
      // A token of the simulator is a word: what the app received can be counted.
      expect(events[at]?.outputTokens, step).toBe(countTokens(text));
    }
  });

  test("knows a bad key and a limit that stays by its own classes", () => {
    const { badKey: refused, limited: exhausted } = runsOf(name);
    expect(refused.error).toMatchObject({
      step: Object.keys(steps)[0],
      classes: [errors.badKey],
      status: 401,
      code: "invalid_api_key",
    });
    expect(exhausted.error?.classes).toEqual([errors.limited]);
    expect(exhausted.error?.last ?? exhausted.error).toMatchObject({ status: 429 });
  });
});

test("the guide names the versions that were tried", async () => {
  const root = join(import.meta.dirname, "../..");
  const guide = await readFile(join(root, "docs/guide/clients.md"), "utf8");
  for (const name of PACKAGES) {
    const manifest = await readFile(join(root, "node_modules", name, "package.json"), "utf8");
    expect(guide, name).toContain((JSON.parse(manifest) as { version: string }).version);
  }
});

/** One usage a call. */
function usagesOf({ usage }: StepOutcome) {
  return Array.isArray(usage) ? usage : [usage];
}
