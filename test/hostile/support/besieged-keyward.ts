/** A real `keyward start` in front of a raw upstream, and the questions that every attack ends with. */
import { readFile } from "node:fs/promises";
import { expect } from "vitest";
import { expectData, type AdminClient } from "../../../src/admin/client.ts";
import {
  adminOf,
  createHome,
  readFirstSecrets,
  type Home,
  type KeywardProcess,
} from "../../support/keyward-process.ts";
import { until } from "../../support/poll.ts";
import { startRawUpstream, type RawUpstream } from "./raw-upstream.ts";

export interface BesiegedKeyward {
  readonly home: Home;
  readonly keyward: KeywardProcess;
  readonly url: string;
  readonly key: string;
  readonly adminToken: string;
  readonly admin: AdminClient;
  readonly upstream: RawUpstream;
  /** A whole request, as bytes. */
  request(options?: RequestOptions): Buffer;
  /** Resident memory of the process, in MiB. */
  residentMib(): Promise<number>;
  /** Of clients, as the kernel counts them. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

export interface RequestOptions {
  readonly method?: string;
  readonly target?: string;
  /** Lines beside those for host, key and type; each without its line end. */
  readonly headers?: readonly string[];
  readonly body?: string | Buffer;
  /** False: the body is sent, and no length. */
  readonly hasLength?: boolean;
}

export const CHAT_BODY = JSON.stringify({
  model: "gpt-4o-mini",
  messages: [{ role: "user", content: "hello" }],
});

/** Waits that are short enough for a test; everything else is as it is by default. */
export const SHORT_WAITS = {
  KEYWARD_CLIENT_HEADERS_TIMEOUT_MS: "1000",
  KEYWARD_CLIENT_IDLE_TIMEOUT_MS: "1000",
  KEYWARD_CLIENT_REQUEST_TIMEOUT_MS: "4000",
  KEYWARD_KEEP_ALIVE_TIMEOUT_MS: "1000",
  KEYWARD_UPSTREAM_HEADERS_TIMEOUT_MS: "1500",
  KEYWARD_UPSTREAM_BODY_IDLE_TIMEOUT_MS: "1500",
  KEYWARD_UPSTREAM_CONNECT_TIMEOUT_MS: "1000",
};

export async function besiege(
  env: Readonly<Record<string, string>> = SHORT_WAITS,
  upstreamOptions: Parameters<typeof startRawUpstream>[0] = {},
): Promise<BesiegedKeyward> {
  const upstream = await startRawUpstream(upstreamOptions);
  const home = await createHome({ KEYWARD_LOG_LEVEL: "warn", ...env });
  const keyward = await home.start();
  const { gatewayKey, adminToken } = readFirstSecrets(keyward);
  const admin = adminOf(keyward, adminToken);
  await addUpstream(admin, upstream.url);
  const { url } = keyward;
  return {
    home,
    keyward,
    url,
    key: gatewayKey,
    adminToken,
    admin,
    upstream,
    request: (options) => formatRequest(gatewayKey, options),
    residentMib: async () => {
      const status = await readFile(`/proc/${keyward.child.pid}/status`, "utf8");
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
    },
    connections: () => countConnections(Number(new URL(url).port)),
    close: async () => {
      await home.remove();
      await upstream.close();
    },
  };
}

const ESTABLISHED = "01";

/** Source of the table's layout: the kernel's proc_net_tcp. */
async function countConnections(port: number): Promise<number> {
  const table = await readFile("/proc/net/tcp", "utf8");
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table.split("\n").filter((line) => {
    const [, address, , state] = line.trim().split(/\s+/);
    return address?.endsWith(local) === true && state === ESTABLISHED;
  }).length;
}

async function addUpstream(admin: AdminClient, url: string): Promise<void> {
  const account = expectData(
    await admin.POST("/provider-accounts", {
      body: { name: "raw", provider: "openai", kind: "personal", baseUrl: `${url}/v1` },
    }),
  );
  expectData(
    await admin.POST("/provider-keys", {
      body: {
        accountId: account.id,
        environment: "development",
        name: "raw",
        secret: ["sk", "hostile", "h".repeat(24)].join("-"),
      },
    }),
  );
}

function formatRequest(key: string, options: RequestOptions = {}): Buffer {
  const { method = "POST", target = "/v1/chat/completions", headers = [] } = options;
  const body = Buffer.from(options.body ?? (method === "POST" ? CHAT_BODY : ""));
  const lines = [
    `${method} ${target} HTTP/1.1`,
    "host: keyward.test",
    `authorization: Bearer ${key}`,
    "content-type: application/json",
    ...(options.hasLength === false ? [] : [`content-length: ${body.length}`]),
    ...headers,
  ];
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), body]);
}

/** Alive, well, and with nothing left over of the calls that were made. */
export async function expectAtRest(besieged: BesiegedKeyward): Promise<void> {
  const { url, keyward, upstream } = besieged;
  expect(keyward.child.exitCode, keyward.output()).toBeNull();
  const health = await fetch(`${url}/healthz`, { headers: { connection: "close" } });
  expect(health.status).toBe(200);
  const ledger = await until("no call is in flight", async () => {
    const metrics = await scrape(url);
    const isAtRest =
      metrics.get("keyward_in_flight_calls") === 0 &&
      metrics.get("keyward_ledger_open_intents") === 0 &&
      metrics.get("keyward_ledger_pending_events") === 0;
    return isAtRest ? metrics : undefined;
  });
  expect(ledger.get("keyward_ledger_open_intents")).toBe(0);
  expect(upstream.violations).toEqual([]);
}

/** Gauges and counters without labels. */
async function scrape(url: string): Promise<ReadonlyMap<string, number>> {
  const res = await fetch(`${url}/metrics`, { headers: { connection: "close" } });
  const metrics = new Map<string, number>();
  for (const line of (await res.text()).split("\n")) {
    const [, name, value] = /^(\w+) ([\d.e+-]+)$/.exec(line) ?? [];
    if (name !== undefined) metrics.set(name, Number(value));
  }
  return metrics;
}
