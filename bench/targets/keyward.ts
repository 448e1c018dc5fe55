import { existsSync } from "node:fs";
import { join } from "node:path";
import { createAdminClient, expectData, type AdminClient } from "../../src/admin/client.ts";
import type { Target } from "./target.ts";
import { whenReady } from "./when-listening.ts";

const ROOT = join(import.meta.dirname, "../..");
const CLI = join(ROOT, "dist/cli/main.js");

/**
 * Keyward as it ships, with everything on: keys, attribution, journal, metering, prices, SQLite. Afterwards the
 * ledger must have every answer, priced.
 */
export const keyward: Target = keywardTarget({
  name: "keyward",
  title: "Keyward, everything on",
  prepare: async () => undefined,
});

/** The same with five hard budgets and three limits that count every call, none of them near its end. */
export const guarded: Target = keywardTarget({
  name: "guarded",
  title: "Keyward, five budgets and three limits",
  prepare: async (client) => {
    const subjects = ["organization", "project", "environment", "key", "customer"] as const;
    for (const kind of subjects) {
      const body = {
        scope: { kind },
        measure: "cost",
        limitUsd: "1000000",
        period: "month",
        timezone: "UTC",
        rollsOver: false,
        enforcement: "hard",
        onTightBudget: "refuse",
      } as const;
      expectData(await client.POST("/budgets", { body }));
    }
    const plenty = 1_000_000_000;
    const limits = [
      { scope: { kind: "organization" }, requestsPerMinute: plenty, tokensPerMinute: plenty },
      { scope: { kind: "customer" }, requestsPerMinute: plenty },
      { scope: { kind: "key" }, concurrency: 10_000 },
    ] as const;
    for (const body of limits) expectData(await client.POST("/limits", { body }));
  },
});

function keywardTarget({
  name,
  title,
  prepare,
}: Pick<Target, "name" | "title"> & {
  readonly prepare: (client: AdminClient) => Promise<void>;
}): Target {
  return {
    name,
    title,
    prepare: async () =>
      existsSync(CLI) ? undefined : "it is not built; run `npm run build` first",
    start: async ({ spawn, upstreamPort, directory }) => {
      const child = spawn(process.execPath, [CLI, "start", "--port", "0"], {
        cwd: directory,
        env: {
          KEYWARD_LOG_LEVEL: "warn",
          KEYWARD_ALLOWED_PRIVATE_HOSTS: `127.0.0.1:${upstreamPort}`,
        },
      });
      let output = "";
      child.stdout?.on("data", (data: Buffer) => (output += data.toString()));
      child.stderr?.on("data", (data: Buffer) => (output += data.toString()));
      let url = "";
      const readyMs = await whenReady(child, async () => {
        url = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0] ?? "";
        return url !== "" && (await fetch(`${url}/readyz`)).ok;
      });
      const key = /OPENAI_API_KEY=(kw_dev_\w+)/.exec(output)?.[1];
      const token = /kw_admin_\w+/.exec(output)?.[0];
      if (key === undefined || token === undefined)
        throw new Error(`no key was printed:\n${output}`);
      const client = createAdminClient({ baseUrl: url, token });
      await addProviderKey(client, upstreamPort);
      await prepare(client);
      const running = {
        port: Number(new URL(url).port),
        path: "/v1/chat/completions",
        headers: { authorization: `Bearer ${key}`, "x-keyward-customer": "bench" },
        pid: child.pid as number,
        readyMs,
      };
      return { ...running, verify: (responses) => verify({ url, token, responses }) };
    },
  };
}

async function addProviderKey(client: AdminClient, upstreamPort: number): Promise<void> {
  const account = expectData(
    await client.POST("/provider-accounts", {
      body: {
        name: "bench",
        provider: "openai",
        kind: "organization",
        baseUrl: `http://127.0.0.1:${upstreamPort}/v1`,
      },
    }),
  );
  expectData(
    await client.POST("/provider-keys", {
      body: {
        accountId: account.id,
        environment: "development",
        name: "bench",
        secret: ["sk", "proj", "bench".repeat(8)].join("-"),
      },
    }),
  );
}

/** The calls that answers were seen for are in the ledger, and each has a cost. */
async function verify(seen: {
  readonly url: string;
  readonly token: string;
  readonly responses: number;
}): Promise<void> {
  const client = createAdminClient({ baseUrl: seen.url, token: seen.token });
  const deadline = Date.now() + 30_000;
  for (;;) {
    const { data } = expectData(await client.GET("/usage/summary", { params: { query: {} } }));
    const [total] = data;
    if (total !== undefined && total.calls >= seen.responses) {
      if (total.unpricedCalls > 0 || total.unmeteredCalls > 0) {
        throw new Error(`not every call was priced: ${JSON.stringify(total)}`);
      }
      return;
    }
    if (Date.now() > deadline) {
      throw new Error(`${seen.responses} answers, but in the ledger: ${JSON.stringify(total)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
