import { Agent, request } from "undici";
import { type AdminClient, expectData } from "../../src/admin/client.ts";
import { formatUsd, parseUsd, type Picos } from "../../src/core/money/picos.ts";
import type { Scope } from "../../src/core/scopes/scope.ts";
import { MODEL, OUTPUT_TOKENS } from "./burst-upstream.ts";
import { sendDevelopmentTo } from "./endless-streams.ts";
import {
  adminOf,
  createHome,
  readFirstSecrets,
  type FirstSecrets,
  type Home,
  type KeywardProcess,
} from "./keyward-process.ts";
import { listEvents } from "./list-events.ts";
import { until } from "./poll.ts";

interface BurstOptions {
  readonly customer: string;
  readonly feature?: string;
  readonly isStream?: boolean;
  /** Every n-th client leaves after the first bytes. */
  readonly leaveEvery?: number;
  /** A connection may break: its process is killed. */
  readonly isKilled?: boolean;
}

/** Several processes of Keyward, each with a port of its own, on one data directory. */
export async function startGateways(
  count: number,
  upstreamUrl: string,
  databaseUrl: string | undefined,
): Promise<BurstGateways> {
  const home = await createHome(
    databaseUrl === undefined ? {} : { KEYWARD_DATABASE_URL: databaseUrl },
  );
  const first = await home.start();
  const secrets = readFirstSecrets(first);
  const others = await Promise.all(Array.from({ length: count - 1 }, () => home.start()));
  const gateways = new BurstGateways(home, secrets, [first, ...others]);
  await gateways.setUp(upstreamUrl);
  return gateways;
}

export class BurstGateways {
  readonly #home: Home;
  readonly #secrets: FirstSecrets;
  #processes: KeywardProcess[];
  readonly #agent = new Agent({ connections: 200 });

  constructor(home: Home, secrets: FirstSecrets, processes: KeywardProcess[]) {
    this.#home = home;
    this.#secrets = secrets;
    this.#processes = processes;
  }

  get #admin(): AdminClient {
    const [process] = this.#processes;
    if (process === undefined) throw new Error("no process is left");
    return adminOf(process, this.#secrets.adminToken);
  }

  async setUp(upstreamUrl: string): Promise<void> {
    await sendDevelopmentTo(this.#admin, { url: upstreamUrl }, "burst");
    const price = ["--input", "0", "--output", "100", "--provider", "openai", "--model", MODEL];
    const { code, stderr } = await this.#home.run("prices", "override", ...price);
    if (code !== 0) throw new Error(stderr);
  }

  async createBudget(scope: { kind: Scope["kind"]; id?: string }, cents: number): Promise<string> {
    if (scope.kind === "customer" && scope.id !== undefined) {
      expectData(await this.#admin.POST("/customers", { body: { externalId: scope.id } }));
    }
    const { id } = expectData(
      await this.#admin.POST("/budgets", {
        body: {
          scope,
          limitUsd: String(cents / 100),
          period: "total",
          timezone: "UTC",
          measure: "cost",
          rollsOver: false,
          enforcement: "hard",
          onTightBudget: "refuse",
        },
      }),
    );
    // Longer than a change takes to every process: a second is promised.
    await new Promise((resolve) => {
      setTimeout(resolve, 1000);
    });
    return id;
  }

  async archive(id: string): Promise<void> {
    await this.#admin.DELETE("/budgets/{id}", { params: { path: { id } } });
  }

  /** The statuses; 0 for a call whose connection broke, or whose client left. */
  async burst(calls: number, options: BurstOptions): Promise<number[]> {
    return await Promise.all(
      Array.from({ length: calls }, (_, index) => this.#call(index, options)),
    );
  }

  async killOne(): Promise<void> {
    const killed = this.#processes.pop();
    await killed?.kill();
    this.#processes.push(await this.#home.start());
  }

  /** When nothing is set aside any more. */
  async budgetAtRest(id: string): Promise<{ spentUsd: string; heldUsd: string }> {
    const path = { params: { path: { id } } };
    let amounts = { spentUsd: "", heldUsd: "" };
    await until(
      "the budget is at rest",
      async () => {
        const { spentUsd, heldUsd } = expectData(await this.#admin.GET("/budgets/{id}", path));
        amounts = { spentUsd: spentUsd ?? "", heldUsd: heldUsd ?? "" };
        return amounts.heldUsd === "0";
      },
      20_000,
    );
    return amounts;
  }

  /** Of the ledger's own rows. */
  async ledgerSum(customer: string): Promise<string> {
    let sum = 0n;
    for (const event of await listEvents(this.#admin)) {
      if (event.customer === customer) sum += parseUsd(event.costUsd ?? "0") ?? 0n;
    }
    return formatUsd(sum as Picos);
  }

  async stop(): Promise<void> {
    await this.#agent.destroy();
    await this.#home.remove();
  }

  async #call(index: number, options: BurstOptions): Promise<number> {
    const { url } = this.#processes[index % this.#processes.length] as KeywardProcess;
    const isLeft = options.leaveEvery !== undefined && index % options.leaveEvery === 0;
    const body = {
      model: MODEL,
      user: options.customer,
      max_tokens: OUTPUT_TOKENS,
      stream: options.isStream === true,
      messages: [{ role: "user", content: "hi" }],
    };
    try {
      const res = await request(`${url}/v1/chat/completions`, {
        method: "POST",
        dispatcher: this.#agent,
        headers: {
          authorization: `Bearer ${this.#secrets.gatewayKey}`,
          "content-type": "application/json",
          ...(options.feature !== undefined && { "x-keyward-feature": options.feature }),
        },
        body: JSON.stringify(body),
      });
      if (!isLeft) {
        await res.body.dump({ limit: 10_000_000 });
        return res.statusCode;
      }
      await res.body[Symbol.asyncIterator]().next();
      res.body.destroy();
      return 0;
    } catch (error) {
      if (options.isKilled === true) return 0;
      throw error;
    }
  }
}
