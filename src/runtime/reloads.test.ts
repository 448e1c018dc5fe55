import { describe, expect, test } from "vitest";
import { adminUnderTest, NOW_MS } from "../../test/support/admin-under-test.ts";
import type { Budget } from "../core/budgets/budget.ts";
import type { LimitId } from "../core/ids/ids.ts";
import type { Limit } from "../core/limits/limit.ts";
import type { ClientTokenFacts } from "../proxy/client-token-book.ts";
import { Reloads } from "./reloads.ts";

/** Has the next read of each kind end when it is told to, and not before. */
class LateReads {
  readonly #late = new Map<string, PromiseWithResolvers<void>>();

  hold(name: string): () => void {
    const held = Promise.withResolvers<void>();
    this.#late.set(name, held);
    return held.resolve;
  }

  async passed<Value>(name: string, value: Promise<Value>): Promise<Value> {
    const held = this.#late.get(name);
    this.#late.delete(name);
    const read = await value;
    await held?.promise;
    return read;
  }
}

describe("what a process keeps of the store in memory", () => {
  const admin = adminUnderTest();

  function reloads(late: LateReads) {
    const { store, vault, deps } = admin;
    const known = {
      customers: [] as string[],
      budgets: [] as string[],
      limits: new Map<LimitId, Limit>(),
    };
    const readLate = <Repository extends object>(repository: Repository, method: string) =>
      new Proxy(repository, {
        get: (target, name) => {
          const own: unknown = Reflect.get(target, name, target);
          if (typeof own !== "function") return own;
          const call = (own as (...given: unknown[]) => Promise<unknown>).bind(target);
          return name === method
            ? (...given: unknown[]) => late.passed(method, call(...given))
            : call;
        },
      });
    const one = new Reloads({
      store: {
        changes: store.changes,
        priceOverrides: store.priceOverrides,
        environments: store.environments,
        exposure: {
          ...store.exposure,
          clientTokens: readLate(store.exposure.clientTokens, "listAll"),
        },
        budgets: readLate(store.budgets, "listActive"),
        limits: readLate(store.limits, "findMany"),
      },
      vault,
      priceBook: deps.priceBook,
      limits: {
        apply: (ids: readonly LimitId[], found: readonly Limit[]) => {
          for (const id of ids) known.limits.delete(id);
          for (const limit of found) known.limits.set(limit.id, limit);
        },
      },
      holds: {
        replaceBudgets: (budgets: readonly Budget[]) =>
          void (known.budgets = budgets.map(({ id }) => id)),
      },
      clientTokens: {
        replace: ({ revokedCustomers }: ClientTokenFacts) =>
          void (known.customers = [...revokedCustomers.keys()]),
      },
    });
    return { one, known };
  }

  test("a load that comes late undoes no revocation", async () => {
    const late = new LateReads();
    const { one, known } = reloads(late);
    const change = [{ kind: "clientToken", entityId: "acme" }];
    const release = late.hold("listAll");
    const old = one.after(change);
    await admin.store.exposure.clientTokens.revoke({ kind: "customer", subject: "acme" });
    await one.after(change);
    expect(known.customers).toEqual(["acme"]);
    release();
    await old;
    expect(known.customers).toEqual(["acme"]);
  });

  test("a load that comes late brings no limit and no budget back", async () => {
    const late = new LateReads();
    const { one, known } = reloads(late);
    const { ids } = admin.deps;
    const limit = {
      id: ids.create("lim"),
      scope: { kind: "organization", id: null },
      requestsPerMinute: 5,
      tokensPerMinute: null,
      concurrency: null,
    } as const;
    await admin.store.limits.insert({ ...limit, createdAtMs: NOW_MS });
    for (const [kind, method] of [
      ["limit", "findMany"],
      ["budget", "listActive"],
    ] as const) {
      const change = [{ kind, entityId: limit.id }];
      const release = late.hold(method);
      const old = one.after(change);
      if (kind === "limit") await admin.store.limits.remove(limit.id);
      else await addBudget();
      await one.after(change);
      release();
      await old;
    }
    expect([...known.limits.keys()]).toEqual([]);
    expect(known.budgets).toHaveLength(1);
  });

  test("more limits that change at once than are read at once are all taken over", async () => {
    const { one, known } = reloads(new LateReads());
    const { ids } = admin.deps;
    const changes = Array.from({ length: 1_001 }, () => ({
      kind: "limit",
      entityId: ids.create("lim"),
    }));
    const last = changes.at(-1)?.entityId as LimitId;
    const scope = { kind: "organization", id: null } as const;
    const amounts = { requestsPerMinute: 5, tokensPerMinute: null, concurrency: null };
    await admin.store.limits.insert({ id: last, scope, ...amounts, createdAtMs: NOW_MS });
    await one.after(changes);
    expect([...known.limits.keys()]).toEqual([last]);
  });

  async function addBudget(): Promise<void> {
    const body = {
      scope: { kind: "organization" },
      limitUsd: "1",
      period: "month",
      enforcement: "hard",
    };
    expect((await admin.post("/budgets", body)).status).toBe(201);
  }
});
