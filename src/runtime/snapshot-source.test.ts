import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { adminUnderTest, NOW_MS } from "../../test/support/admin-under-test.ts";
import type { EnvironmentId, ProviderAccountId } from "../core/ids/ids.ts";
import { createSnapshotSource } from "./snapshot-source.ts";

const secretOf = (name: string) => ["sk", name, "x".repeat(20)].join("-");

describe("an environment's routing", () => {
  const admin = adminUnderTest();

  function source() {
    const { deps, store, vault } = admin;
    const standIn = deps.providers.find("simulator");
    if (standIn === undefined) throw new Error("the fixture has a simulator");
    return createSnapshotSource({
      sightings: { watch: () => undefined },
      store,
      vault,
      providers: deps.providers,
      priceBook: deps.priceBook,
      standIn: { ...standIn, defaultBaseUrl: "http://127.0.0.1:9/v1" },
      reloads: { after: () => Promise.resolve() },
    });
  }

  async function addAccount(name: string): Promise<ProviderAccountId> {
    const { ids } = admin.deps;
    const { store } = admin;
    const id = ids.create("acc");
    await store.providerAccounts.insert({
      id,
      name,
      provider: "openai",
      kind: "organization",
      baseUrl: null,
      organizationId: null,
      providerProjectId: null,
      apiVersion: null,
      pricedAs: null,
      createdAtMs: NOW_MS,
    });
    return id;
  }

  async function addKey(
    environmentId: EnvironmentId,
    accountId: ProviderAccountId,
    key: { readonly secret: string; readonly weight?: number; readonly createdAtMs?: number },
  ) {
    const { ids, vault } = admin.deps;
    const { store } = admin;
    const id = ids.create("pky");
    await store.providerKeys.insert({
      id,
      accountId,
      environmentId,
      name: id,
      version: 1,
      sealed: await vault.seal(key.secret, { environmentId, secretId: id, version: 1 }),
      fingerprint: await vault.fingerprint(key.secret),
      weight: key.weight ?? 1,
      preview: "sk-…",
      createdAtMs: key.createdAtMs ?? NOW_MS,
      revokedAtMs: null,
    });
    return id;
  }

  it("has the heaviest key first, then the oldest, and the keys that a rule allows in the same order", async () => {
    const { deps, store } = admin;
    const environment = await store.environments.findByName("staging");
    if (environment === undefined) throw new Error("the fixture has a staging environment");
    const [main, other] = [await addAccount("main"), await addAccount("other")];
    const late = await addKey(environment.id, main, {
      secret: secretOf("a"),
      createdAtMs: NOW_MS + 1,
    });
    const early = await addKey(environment.id, other, { secret: secretOf("b") });
    const heavy = await addKey(environment.id, main, {
      secret: secretOf("c"),
      weight: 5,
      createdAtMs: NOW_MS + 2,
    });
    await store.routingRules.insert({
      id: deps.ids.create("rul"),
      environmentId: environment.id,
      position: 1,
      model: "gpt-4*",
      provider: null,
      accountId: main,
      targetModel: null,
      createdAtMs: NOW_MS,
    });
    const { routes, rules } = await source().loadRouting(environment.id);
    expect(routes.map(({ keyId }) => keyId)).toEqual([heavy, early, late]);
    expect(rules.map((rule) => rule.routes.map(({ keyId }) => keyId))).toEqual([[heavy, late]]);
    expect(routes[1]?.authHeaders).toEqual([["authorization", `Bearer ${secretOf("b")}`]]);
  });

  it("leaves out a key that the policy has come to refuse, and has the policy as it is now", async () => {
    const { store } = admin;
    const [production, development] = await Promise.all(
      ["production", "development"].map((name) => store.environments.findByName(name)),
    );
    if (!production || !development) throw new Error("the fixture has both");
    const account = await addAccount("main");
    const secret = secretOf("shared");
    await addKey(development.id, account, { secret });
    await addKey(production.id, account, { secret });
    const own = await addKey(production.id, account, { secret: secretOf("own") });
    const from = source();
    const strict = await from.loadRouting(production.id);
    expect(strict.routes.map(({ keyId }) => keyId)).toEqual([own]);
    expect(strict).toMatchObject({ barredKeys: 1, policy: { browsers: "enforce", output: null } });
    const rules = { one_environment_per_provider_key: "warn", no_browser_calls: "off" } as const;
    for (const { id } of [production, development]) {
      await store.environments.update(id, { policy: { modes: rules, maxOutputTokens: 50 } });
    }
    const lax = await from.loadRouting(production.id);
    expect(lax.routes).toHaveLength(2);
    expect(lax).toMatchObject({
      barredKeys: 0,
      policy: { browsers: null, output: { maxTokens: 50 } },
    });
    expect((await from.loadRouting(development.id)).routes).toHaveLength(1);
    await store.environments.update(development.id, { policy: {} });
    // Its only key is refused: the simulator is no answer to that.
    expect(await from.loadRouting(development.id)).toMatchObject({ routes: [], barredKeys: 1 });
  });

  it("never has a key of another environment, whatever keys and rules there are", async () => {
    const { deps, store } = admin;
    const layout = fc.record({
      keys: fc.array(fc.record({ environment: fc.nat(2), account: fc.nat(2), weight: fc.nat(3) }), {
        maxLength: 8,
      }),
      rules: fc.array(
        fc.record({ environment: fc.nat(2), account: fc.option(fc.nat(2), { nil: null }) }),
        { maxLength: 5 },
      ),
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(layout, async ({ keys, rules }) => {
        run += 1;
        const environments = ["a", "b", "c"].map((name) => ({
          id: deps.ids.create("env"),
          name: `${name}${run}`,
          kind: "staging" as const,
          unpricedPolicy: "allow_and_alert" as const,
          budgetCeilingPicos: null,
          policy: {},
          createdAtMs: NOW_MS,
        }));
        for (const environment of environments) await store.environments.insert(environment);
        const accounts: ProviderAccountId[] = [];
        for (const name of ["x", "y", "z"]) accounts.push(await addAccount(`${name}${run}`));
        const own = environments.map(() => new Map<string | null, string>());
        for (const [index, { environment, account, weight }] of keys.entries()) {
          const secret = ["sk", String(run), String(index), "x".repeat(20)].join("-");
          const id = await addKey(environments[environment]!.id, accounts[account]!, {
            secret,
            weight,
          });
          own[environment]!.set(id, `Bearer ${secret}`);
        }
        for (const { environment, account } of rules) {
          await store.routingRules.insert({
            id: deps.ids.create("rul"),
            environmentId: environments[environment]!.id,
            position: 1,
            model: "*",
            provider: account === null ? "openai" : null,
            accountId: account === null ? null : accounts[account]!,
            targetModel: null,
            createdAtMs: NOW_MS,
          });
        }
        for (const [index, environment] of environments.entries()) {
          const routing = await source().loadRouting(environment.id);
          const mine = own[index]!;
          expect(routing.routes).toHaveLength(mine.size);
          for (const route of [
            ...routing.routes,
            ...routing.rules.flatMap((rule) => rule.routes),
          ]) {
            expect(route.authHeaders).toEqual([["authorization", mine.get(route.keyId)]]);
          }
        }
      }),
      { numRuns: 15 },
    );
  }, 120_000);
});
