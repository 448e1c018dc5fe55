import { beforeEach, describe, expect, test } from "vitest";
import { adminUnderTest } from "../../../test/support/admin-under-test.ts";
import { mortalParts, survives } from "../../../test/support/mortal-parts.ts";
import { OpenaiDouble, type Unsupported } from "../../../test/support/openai-double.ts";
import {
  addDoubledAccount,
  askDouble,
  driverDeps,
  sampleProvisionOf,
} from "../../../test/support/rotation-under-test.ts";
import { enterProvisionState, type ProvisionState } from "../../core/provisioning/provision.ts";
import type { ProvisionRecord } from "../../store/provision-repository.ts";
import type { EnvironmentRecord, ProviderAccountRecord } from "../../store/records.ts";
import { driveProvisionOnce } from "./provision-driver.ts";

type Deps = ReturnType<typeof driverDeps>;

describe("a provision at OpenAI", () => {
  const admin = adminUnderTest();
  let double: OpenaiDouble;
  let account: ProviderAccountRecord;
  let environment: EnvironmentRecord;
  beforeEach(async () => {
    double = new OpenaiDouble();
    double.addProject("somebody else's");
    account = await addDoubledAccount(partsOf(), double);
    const found = await admin.store.environments.findByName("production");
    if (found === undefined) throw new Error("there is no production");
    environment = found;
  });

  const partsOf = () => ({ store: admin.store, vault: admin.vault, ids: admin.deps.ids });

  async function begin(changes: Partial<ProvisionRecord> = {}): Promise<ProvisionRecord["id"]> {
    const provision = sampleProvisionOf(admin.deps, { environment, account }, Date.now());
    await admin.store.rotation.provisions.insert({ ...provision, ...changes });
    return provision.id;
  }

  async function find(id: ProvisionRecord["id"]): Promise<ProvisionRecord> {
    const record = await admin.store.rotation.provisions.findById(id);
    if (record === undefined) throw new Error("the provision is not there");
    return record;
  }

  /** To where it waits for nothing but a person, or to a state. */
  async function drive(
    deps: Deps,
    id: ProvisionRecord["id"],
    until?: ProvisionState,
  ): Promise<ProvisionRecord> {
    for (let i = 0; i < 200; i += 1) {
      const record = await find(id);
      if (record.endedAtMs !== null || record.state === "failed" || record.state === until) {
        return record;
      }
      const driven = await driveProvisionOnce(deps, record);
      if (driven.kind === "waits") deps.skipTo(driven.untilMs ?? 0);
    }
    throw new Error("the provision does not end");
  }

  const depsOf = (): Deps => driverDeps(partsOf(), double);

  const madeProjects = () => double.projects.filter(({ name }) => name?.startsWith("keyward-"));

  /** One project, one service account and one key, which is the environment's. */
  async function expectWhole(record: ProvisionRecord): Promise<void> {
    expect(madeProjects()).toMatchObject([{ id: record.projectId, name: record.remoteName }]);
    expect(double.serviceAccounts).toMatchObject([{ projectId: record.projectId }]);
    expect(double.keys).toHaveLength(1);
    const keys = await admin.store.providerKeys.listActive(environment.id);
    expect(keys).toMatchObject([{ id: record.keyId, name: "main", accountId: account.id }]);
    const [key] = keys;
    if (key === undefined) throw new Error("there is one key");
    const { environmentId, id: secretId, version } = key;
    const secret = await admin.vault.open(key.sealed, { environmentId, secretId, version });
    expect(double.keys[0]).toMatchObject({ secret });
  }

  async function revokeAll(): Promise<void> {
    for (const { id } of await admin.store.providerKeys.listActive(environment.id)) {
      await admin.store.providerKeys.revoke(id, 1);
    }
    double.keys.length = 0;
    double.serviceAccounts.length = 0;
    double.projects.length = 0;
  }

  test("makes a project with our limits, a service account, and a key that was tried", async () => {
    const ended = await drive(depsOf(), await begin());
    expect(ended).toMatchObject({ state: "done", isVerified: true, problem: null });
    expect(ended.secret?.sealed).toBeNull();
    await expectWhole(ended);
    const projectId = ended.projectId ?? "";
    expect(double.spendLimits.get(projectId)).toMatchObject({
      threshold_amount: 50_000,
      interval: "month",
    });
    expect(double.modelPermissions.get(projectId)).toMatchObject({
      mode: "allow_list",
      model_ids: ["gpt-4o", "o4-mini"],
    });
    const rates = double.rateLimits.filter((one) => one.projectId === projectId);
    expect(
      Object.fromEntries(rates.map((one) => [one.model, one.max_requests_per_1_minute])),
    ).toEqual({ "gpt-4o-mini": 10_000, "gpt-4o": 60, "o4-mini": 60 });
    // Only downwards.
    expect(rates.map((one) => one.max_tokens_per_1_minute)).toEqual(Array(3).fill(1_000_000));
    expect(ended.outcomes.map(({ limit, isSet }) => [limit, isSet])).toEqual([
      ["spend", true],
      ["models", true],
      ["rate", true],
    ]);
    expect(await admin.store.rotation.keyFacts.of(ended.keyId)).toMatchObject({
      ownership: { owner: "service_account", evidence: { source: "admin_api" } },
      remote: { keyId: double.keys[0]?.id, projectId },
    });
    expect(JSON.stringify(ended)).not.toContain(double.keys[0]?.secret);
  });

  test("has its limits before there is a key", async () => {
    const seen: number[] = [];
    double.fault = ({ method, path }) => {
      if (method === "POST" && path.endsWith("/service_accounts")) {
        seen.push(double.spendLimits.size, double.modelPermissions.size);
      }
      return undefined;
    };
    await drive(depsOf(), await begin());
    expect(seen).toEqual([1, 1]);
  });

  test.each<[Unsupported, readonly string[]]>([
    ["spend_limit", ["spend"]],
    ["models", ["models"]],
    // A beginning is spelled out by the list of rate limits.
    ["rate_limits", ["models", "rate"]],
  ])("goes on where the provider refuses %s, and says what to do by hand", async (one, limits) => {
    double.unsupported.add(one);
    const ended = await drive(depsOf(), await begin());
    expect(ended.state).toBe("done");
    await expectWhole(ended);
    const notSet = ended.outcomes.filter(({ isSet }) => !isSet);
    expect(notSet.map(({ limit }) => limit)).toEqual(limits);
    for (const { text } of notSet) {
      expect(text).toContain("403");
      expect(text).toMatch(/by hand, at platform\.openai\.com: Settings, Project, Limits/);
    }
  });

  test("never allows a list of no model, which would refuse every call", async () => {
    const limits = { spend: null, models: ["claude-*"], rate: null };
    const ended = await drive(depsOf(), await begin({ limits }));
    expect(ended).toMatchObject({ state: "done", outcomes: [{ limit: "models", isSet: false }] });
    expect(double.modelPermissions.size).toBe(0);
  });

  test("waits for a person where the admin key may not make projects, says what to do, and goes on", async () => {
    double.unsupported.add("create_project");
    const id = await begin();
    const failed = await drive(depsOf(), id);
    expect(failed).toMatchObject({ state: "failed", failedIn: "project" });
    expect(failed.problem).toContain("403");
    expect(failed.problem).toContain("keyward provider-accounts set-admin-key openai-main");
    expect(failed.problem).not.toContain(double.adminKey);
    expect(madeProjects()).toEqual([]);
    double.unsupported.clear();
    await admin.store.rotation.provisions.save(enterProvisionState(failed, "project", Date.now()));
    const ended = await drive(depsOf(), id);
    expect(ended.state).toBe("done");
    await expectWhole(ended);
  });

  test("says which admin key is needed where there is none any more", async () => {
    await admin.store.rotation.adminKeys.remove(account.id);
    const failed = await drive(depsOf(), await begin());
    expect(failed).toMatchObject({ state: "failed", failedIn: "project" });
    expect(failed.problem).toContain("has no admin key");
  });

  test("waits while the provider is in trouble, and makes nothing twice", async () => {
    const asked = new Set<string>();
    // Each question is answered when it is asked again.
    double.fault = ({ method, path }) => {
      const isFirst = !asked.has(method + path);
      asked.add(method + path);
      return isFirst ? 503 : undefined;
    };
    const ended = await drive(depsOf(), await begin());
    expect(ended.state).toBe("done");
    await expectWhole(ended);
  });

  test("waits for a project that is not known everywhere yet", async () => {
    const asked = new Set<string>();
    double.fault = ({ method, path }) => {
      const [, , , , project, what] = path.split(/[/?]/);
      const kind = `${method} ${what}`;
      const isFirst = project !== undefined && what !== undefined && !asked.has(kind);
      asked.add(kind);
      return isFirst && path.startsWith("/v1/organization/") ? 404 : undefined;
    };
    const ended = await drive(depsOf(), await begin());
    expect(ended.state).toBe("done");
    expect(ended.outcomes.map(({ isSet }) => isSet)).toEqual([true, true, true]);
    await expectWhole(ended);
  });

  test("waits for a key that is not known everywhere yet, and makes another where it is gone for good", async () => {
    const deps = depsOf();
    const id = await begin();
    await drive(deps, id, "test");
    double.fault = ({ path }) => (path.startsWith("/v1/models") ? 401 : undefined);
    await driveProvisionOnce(deps, await find(id));
    expect(await find(id)).toMatchObject({ state: "test", attempts: 1 });
    double.keys.length = 0;
    deps.skipTo(deps.nowMs() + 3 * 60_000);
    await driveProvisionOnce(deps, await find(id));
    expect(await find(id)).toMatchObject({ state: "key", secret: null });
    double.fault = undefined;
    const ended = await drive(deps, id);
    expect(ended.state).toBe("done");
    await expectWhole(ended);
  });

  test("lets no key in whose answers are of another project", async () => {
    const id = await begin();
    const deps = depsOf();
    await drive(deps, id, "test");
    const [key] = double.keys;
    if (key === undefined) throw new Error("there is one key");
    double.keys[0] = { ...key, projectId: "proj_other" };
    expect(await drive(deps, id)).toMatchObject({ state: "failed", failedIn: "test" });
    expect(await admin.store.providerKeys.listActive(environment.id)).toEqual([]);
  });

  test("goes on after a death before and after every call and every write, and leaves one of each", async () => {
    let points = 0;
    for (let point = 0; ; point += 1) {
      await revokeAll();
      const id = await begin();
      const { store, ask, death } = mortalParts(
        { store: admin.store, ask: askDouble(double) },
        point,
      );
      const dying = { ...driverDeps({ ...partsOf(), store }, double), ask };
      const isAlive = await survives(death, drive(dying, id));
      const ended = await drive(depsOf(), id);
      expect(ended.state, `died at point ${point}`).toBe("done");
      await expectWhole(ended);
      if (isAlive) break;
      points += 1;
    }
    expect(points).toBeGreaterThan(30);
  });

  test("called off in any state and killed anywhere, leaves nothing at the provider", async () => {
    for (const state of ["project", "limits", "key", "identify", "test", "add"] as const) {
      for (let point = 0; ; point += 1) {
        await revokeAll();
        const id = await begin();
        await drive(depsOf(), id, state);
        if (state === "key") await dieAfter("/service_accounts", id);
        if (state === "project") await dieAfter("/projects", id);
        await callOff(id);
        const { store, ask, death } = mortalParts(
          { store: admin.store, ask: askDouble(double) },
          point,
        );
        const dying = { ...driverDeps({ ...partsOf(), store }, double), ask };
        const isAlive = await survives(death, drive(dying, id));
        const ended = await drive(depsOf(), id);
        expect(ended.state, `called off in ${state}, died at ${point}`).toBe("cancelled");
        expect(ended.secret?.sealed ?? null).toBeNull();
        expect([madeProjects(), double.serviceAccounts, double.keys]).toEqual([[], [], []]);
        expect(await admin.store.providerKeys.listActive(environment.id)).toEqual([]);
        // From `identify` on there is the same to undo: once there, dying everywhere says nothing new.
        if (isAlive || state === "test" || state === "add") break;
      }
    }
  });

  test.each(["key", "identify", "add"] as const)(
    "called off in %s while the provider's list has not got its project yet, leaves no project and no key",
    async (state) => {
      const id = await begin();
      await drive(depsOf(), id, state);
      if (state === "key") await dieAfter("/service_accounts", id);
      expect(double.keys).toHaveLength(1);
      double.isUnlisted = ({ name }) => name === `keyward-production-${id}`;
      await callOff(id);
      const ended = await drive(depsOf(), id);
      expect(ended.state).toBe("cancelled");
      expect(ended.notes.at(-1)?.text).toContain("gone at the provider");
      expect([madeProjects(), double.serviceAccounts, double.keys]).toEqual([[], [], []]);
    },
  );

  test("called off before its project was written down, looks for it a second time", async () => {
    const id = await begin();
    await dieAfter("/projects", id);
    let looks = 0;
    double.fault = ({ method, path }) => {
      if (method === "GET" && path.startsWith("/v1/organization/projects?")) looks += 1;
      return undefined;
    };
    double.isUnlisted = () => looks < 2;
    await callOff(id);
    const deps = depsOf();
    await driveProvisionOnce(deps, await find(id));
    const waiting = await find(id);
    expect(waiting).toMatchObject({ state: "undo", attempts: 1 });
    expect(waiting.problem).toContain("may not be listed yet");
    expect((await drive(deps, id)).state).toBe("cancelled");
    expect([madeProjects(), looks]).toEqual([[], 2]);
  });

  test("called off where its project is not known everywhere yet, goes on until it is", async () => {
    const id = await begin();
    await drive(depsOf(), id, "test");
    double.isUnlisted = () => true;
    let refusals = 0;
    double.fault = ({ path }) => {
      if (!path.startsWith("/v1/organization/projects/") || refusals === 3) return undefined;
      refusals += 1;
      return 404;
    };
    await callOff(id);
    expect((await drive(depsOf(), id)).state).toBe("cancelled");
    expect([madeProjects(), double.keys]).toEqual([[], []]);
  });

  test("called off where somebody has deleted its project for good, ends all the same", async () => {
    const id = await begin();
    await drive(depsOf(), id, "test");
    double.projects.length = 0;
    await callOff(id);
    expect((await drive(depsOf(), id)).state).toBe("cancelled");
  });

  /** The provider has made it, and nobody has written it down. */
  async function dieAfter(path: string, id: ProvisionRecord["id"]): Promise<void> {
    const death = new Error("the process has died");
    const ask = askDouble(double);
    const deps: Deps = {
      ...depsOf(),
      ask: async (question) => {
        const answer = await ask(question);
        if (question.method === "POST" && question.url.endsWith(path)) throw death;
        return answer;
      },
      // A step that breaks is written down; the dead write nothing.
      store: new Proxy(admin.store, {
        get: (target, name) =>
          name === "transaction"
            ? () => Promise.reject(death)
            : (Reflect.get(target, name, target) as unknown),
      }),
    };
    expect(await survives(death, driveProvisionOnce(deps, await find(id)))).toBe(false);
  }

  async function callOff(id: ProvisionRecord["id"]): Promise<void> {
    await admin.store.rotation.provisions.save(
      enterProvisionState(await find(id), "undo", Date.now()),
    );
  }

  test("driven by two at once, ends with one project, one service account and one key", async () => {
    const id = await begin();
    const deps = depsOf();
    for (let i = 0; i < 40; i += 1) {
      const record = await find(id);
      if (record.endedAtMs !== null) break;
      const driven = await Promise.all([
        driveProvisionOnce(deps, record),
        driveProvisionOnce(deps, record),
      ]);
      for (const one of driven) if (one.kind === "waits") deps.skipTo(one.untilMs ?? 0);
    }
    const ended = await drive(deps, id);
    expect(ended.state).toBe("done");
    await expectWhole(ended);
  });

  test("is refused by the policy of its environment, as a key that is added is", async () => {
    const id = await begin();
    const deps = depsOf();
    await drive(deps, id, "add");
    const record = await find(id);
    const { secret } = record;
    if (secret === null) throw new Error("there is a key");
    const ownership = { owner: "user", evidence: null } as const;
    await admin.store.rotation.provisions.save({ ...record, secret: { ...secret, ownership } });
    const failed = await drive(deps, id);
    expect(failed).toMatchObject({ state: "failed", failedIn: "add" });
    expect(failed.problem).toContain("`production` takes none of those");
  });
});
