import { beforeEach, describe, expect, test } from "vitest";
import { adminUnderTest } from "../../../test/support/admin-under-test.ts";
import { mortalParts, survives } from "../../../test/support/mortal-parts.ts";
import { OpenaiDouble, type Unsupported } from "../../../test/support/openai-double.ts";
import {
  addDoubledKey,
  askDouble,
  driverDeps,
  driveToEnd,
  sampleRotationOf,
  unknownSecret,
} from "../../../test/support/rotation-under-test.ts";
import { enterState, SWITCH_SPREAD_MS } from "../../core/rotation/rotation.ts";
import type { ProviderKeyRecord } from "../../store/records.ts";
import type { RotationRecord } from "../../store/rotation-records.ts";
import { driveOnce } from "./rotation-driver.ts";
import { sealVersion } from "./seal-version.ts";

describe("a rotation at OpenAI", () => {
  const admin = adminUnderTest();
  let double: OpenaiDouble;
  let key: ProviderKeyRecord;
  beforeEach(async () => {
    double = new OpenaiDouble();
    ({ key } = await addDoubledKey(partsOf(), double));
  });

  const partsOf = () => ({ store: admin.store, vault: admin.vault, ids: admin.deps.ids });

  async function begin(changes: Partial<RotationRecord> = {}): Promise<RotationRecord> {
    const rotation = { ...sampleRotationOf(admin.deps, key, Date.now()), ...changes };
    await admin.store.rotation.rotations.insert(rotation);
    return rotation;
  }

  async function beginWith(
    secret: string,
    changes: Partial<RotationRecord> = {},
  ): Promise<RotationRecord> {
    const { id: keyId, environmentId } = key;
    const whose = { keyId, environmentId };
    const version = key.version + 1;
    const fresh = await sealVersion(admin.deps, whose, { secret, version, remote: null });
    return await begin({ way: "assisted", state: "pending", next: fresh, ...changes });
  }

  /** Of the second version of its secret. */
  const see = (kind: "worked" | "refused") =>
    admin.store.rotation.keyFacts.noteSightings([{ keyId: key.id, version: 2, atMs: 1, kind }]);

  async function secretInUse(): Promise<string> {
    const now = await admin.store.providerKeys.findById(key.id);
    if (now === undefined) throw new Error("the key is gone");
    const { environmentId, version } = now;
    return await admin.vault.open(now.sealed, { environmentId, secretId: key.id, version });
  }

  test("ends with one key at the provider, the one in use, and with the old one refused", async () => {
    const before = await secretInUse();
    const { id } = await begin();
    const ended = await driveToEnd(driverDeps(partsOf(), double), id);
    expect(ended).toMatchObject({ state: "done", oldFate: "refused", isVerified: true });
    expect(ended.old.sealed).toBeNull();
    const inUse = await secretInUse();
    expect(inUse).not.toBe(before);
    expect(double.keys.map(({ secret }) => secret)).toEqual([inUse]);
    expect(double.serviceAccounts).toHaveLength(1);
    expect(await admin.store.rotation.keyFacts.of(key.id)).toMatchObject({
      ownership: { owner: "service_account", evidence: { source: "admin_api" } },
      remote: { keyId: double.keys[0]?.id },
    });
    expect(await admin.store.providerKeys.findById(key.id)).toMatchObject({ version: 2 });
  });

  test.each<[string, readonly Unsupported[]]>([
    ["makes no key in a service account", ["create_key"]],
    ["deletes and changes no key by itself", ["create_key", "delete_key", "update_key"]],
  ])("gets by with an API that %s", async (_, unsupported) => {
    for (const one of unsupported) double.unsupported.add(one);
    const { id } = await begin();
    const ended = await driveToEnd(driverDeps(partsOf(), double), id);
    expect(ended).toMatchObject({ state: "done", oldFate: "refused" });
    expect(double.keys.map(({ secret }) => secret)).toEqual([await secretInUse()]);
    if (unsupported.includes("delete_key")) expect(double.serviceAccounts).toHaveLength(1);
  });

  test("leaves alone a service account that has other keys, and says that a person has to", async () => {
    double.unsupported.add("create_key").add("delete_key");
    const [first] = double.keys;
    if (first === undefined) throw new Error("there is one key");
    const other = double.addKey(first.projectId, first.accountId, "somebody else's");
    const { id } = await begin();
    const ended = await driveToEnd(driverDeps(partsOf(), double), id);
    expect(ended).toMatchObject({ state: "failed", failedIn: "revoke" });
    expect(ended.problem).toContain("its service account has 1 more");
    expect(double.keys).toContain(other);
  });

  describe.each<[string, readonly Unsupported[]]>([
    ["with all of the API", []],
    ["with an API that makes and deletes service accounts alone", ["create_key", "delete_key"]],
  ])("%s", (_, unsupported) => {
    test("goes on after a death before and after every call and every write, and leaves no orphan", async () => {
      for (const one of unsupported) double.unsupported.add(one);
      let points = 0;
      for (let point = 0; ; point += 1) {
        // The last run's key is this run's old one.
        key = (await admin.store.providerKeys.findById(key.id)) ?? key;
        const { id } = await begin();
        const { store, ask, death } = mortal(point);
        const dying = { ...driverDeps({ ...partsOf(), store }, double), ask };
        const hasDied = !(await survives(death, driveToEnd(dying, id)));
        const ended = await driveToEnd(driverDeps(partsOf(), double), id);
        expect(ended.state, `died at point ${point}`).toBe("done");
        expect(double.keys.map(({ secret }) => secret)).toEqual([await secretInUse()]);
        expect(double.serviceAccounts).toHaveLength(1);
        if (!hasDied) break;
        points += 1;
      }
      expect(points).toBeGreaterThan(30);
    });

    test("called off in any state and killed anywhere, goes back to a secret that works and leaves no orphan", async () => {
      for (const one of unsupported) double.unsupported.add(one);
      for (const state of ["create", "pending", "test", "active", "observe", "grace"] as const) {
        for (let point = 0; ; point += 1) {
          key = (await admin.store.providerKeys.findById(key.id)) ?? key;
          const before = await secretInUse();
          const { id } = await begin();
          const deps = driverDeps(partsOf(), double);
          await driveTo(deps, id, state);
          if (state === "create") await dieAfterCreation(id);
          await callOff(id);
          const { store, ask, death } = mortal(point);
          const dying = { ...driverDeps({ ...partsOf(), store }, double), ask };
          const hasDied = !(await survives(death, driveToEnd(dying, id)));
          const ended = await driveToEnd(driverDeps(partsOf(), double), id);
          expect(ended.state, `called off in ${state}, died at ${point}`).toBe("cancelled");
          expect(await secretInUse()).toBe(before);
          expect(double.keys.map(({ secret }) => secret)).toEqual([before]);
          expect(double.serviceAccounts).toHaveLength(1);
          if (!hasDied) break;
        }
      }
    });
  });

  /** Whatever happens, calls have a secret that the provider takes. */
  const mortal = (point: number) =>
    mortalParts({ store: admin.store, ask: askDouble(double) }, point, async () => {
      expect(double.keys.map(({ secret }) => secret)).toContain(await secretInUse());
    });

  async function driveTo(
    deps: ReturnType<typeof driverDeps>,
    id: RotationRecord["id"],
    state: RotationRecord["state"],
  ): Promise<void> {
    for (let i = 0; i < 50; i += 1) {
      const record = await admin.store.rotation.rotations.findById(id);
      if (record === undefined || record.state === state) return;
      const driven = await driveOnce(deps, record);
      if (driven.kind === "waits") deps.skipTo(driven.untilMs ?? 0);
    }
    throw new Error(`the rotation does not come to ${state}`);
  }

  /** The provider has made the key, and nobody has written it down. */
  async function dieAfterCreation(id: RotationRecord["id"]): Promise<void> {
    for (let point = 0; point < 40; point += 1) {
      const record = await admin.store.rotation.rotations.findById(id);
      if (record === undefined) throw new Error("the rotation is not there");
      const before = double.keys.length;
      const { store, ask, death } = mortal(point);
      const deps = { ...driverDeps({ ...partsOf(), store }, double), ask };
      await survives(death, driveOnce(deps, record));
      const now = await admin.store.rotation.rotations.findById(id);
      if (now?.state !== "create") throw new Error("it was written down");
      if (double.keys.length > before) return;
    }
    throw new Error("no key was made");
  }

  async function callOff(id: RotationRecord["id"]): Promise<void> {
    const record = await admin.store.rotation.rotations.findById(id);
    if (record === undefined) throw new Error("the rotation is not there");
    await admin.store.rotation.rotations.save(enterState(record, "undo", Date.now()));
  }

  test("called off while the provider is slow to make the key, deletes it when it comes", async () => {
    const [old] = double.keys;
    const { id, remoteName } = await begin();
    const deps = driverDeps(partsOf(), double);
    const record = await admin.store.rotation.rotations.findById(id);
    // It knows where the key is to be made, and dies before it is told of one.
    if (record !== undefined) await driveOnce(deps, record);
    await callOff(id);
    const undone = await admin.store.rotation.rotations.findById(id);
    if (undone !== undefined) await driveOnce(deps, undone);
    expect(await admin.store.rotation.rotations.findById(id)).toMatchObject({ state: "undo" });
    double.addKey(old?.projectId ?? "", old?.accountId ?? "", remoteName);
    expect(await driveToEnd(deps, id)).toMatchObject({ state: "cancelled" });
    expect(double.keys).toEqual([old]);
  });

  test("driven by two at once, makes nothing that stays", async () => {
    const { id } = await begin();
    const deps = driverDeps(partsOf(), double);
    for (let i = 0; i < 30; i += 1) {
      const record = await admin.store.rotation.rotations.findById(id);
      if (record === undefined || record.endedAtMs !== null) break;
      const driven = await Promise.all([driveOnce(deps, record), driveOnce(deps, record)]);
      for (const one of driven) if (one.kind === "waits") deps.skipTo(one.untilMs ?? 0);
    }
    expect((await driveToEnd(deps, id)).state).toBe("done");
    expect(double.keys.map(({ secret }) => secret)).toEqual([await secretInUse()]);
  });

  test("turns back when the new secret is refused in use, and deletes it", async () => {
    const before = await secretInUse();
    const { id } = await begin();
    const deps = driverDeps(partsOf(), double);
    await driveTo(deps, id, "observe");
    await admin.store.rotation.keyFacts.noteSightings([
      { keyId: key.id, version: 2, atMs: 1, kind: "refused" },
    ]);
    const ended = await driveToEnd(deps, id);
    expect(ended).toMatchObject({ state: "cancelled" });
    expect(ended.problem).toContain("refused the new secret");
    expect(await secretInUse()).toBe(before);
    expect(await admin.store.providerKeys.findById(key.id)).toMatchObject({ version: 3 });
    expect(double.keys.map(({ secret }) => secret)).toEqual([before]);
  });

  test("does not touch the old key while calls come and none is answered with the new one", async () => {
    const { id } = await begin();
    const deps = driverDeps(partsOf(), double);
    await driveTo(deps, id, "observe");
    const usedAtMs = deps.nowMs() + 60_000;
    await admin.store.alerts.providerKeyUses.note([{ id: key.id, usedAtMs }]);
    deps.skipTo(usedAtMs + 24 * 3_600_000);
    expect(await driveToEnd(deps, id)).toMatchObject({ state: "observe" });
    expect(double.keys).toHaveLength(2);
    await admin.store.rotation.keyFacts.noteSightings([
      { keyId: key.id, version: 2, atMs: usedAtMs, kind: "worked" },
    ]);
    expect(await driveToEnd(deps, id)).toMatchObject({ state: "done" });
  });

  test("tells the provider when the old key ends, and waits out the grace before it deletes it", async () => {
    const { id } = await begin();
    const deps = driverDeps(partsOf(), double);
    await driveTo(deps, id, "grace");
    const [old] = double.keys;
    expect(old?.expiresAt).toBeGreaterThan(Date.now() / 1000 + 3600);
    const record = await admin.store.rotation.rotations.findById(id);
    const driven = record === undefined ? undefined : await driveOnce(deps, record);
    expect(driven).toEqual({ kind: "waits", untilMs: record?.graceUntilMs });
    expect(double.keys).toContain(old);
  });

  test("of a secret that leaked has no grace", async () => {
    const { id } = await begin({ isCompromise: true });
    const deps = driverDeps(partsOf(), double);
    const startedAtMs = deps.nowMs();
    expect(await driveToEnd(deps, id)).toMatchObject({ state: "done", oldFate: "refused" });
    expect(deps.nowMs() - startedAtMs).toBeLessThan(10_000);
  });

  describe("of a secret that leaked, where the test call proves nothing", () => {
    beforeEach(() => {
      double.fault = ({ path }) => (path.startsWith("/v1/models") ? 404 : undefined);
    });

    test("keeps the old one, and goes back to it when the new one is refused in use", async () => {
      const before = await secretInUse();
      await admin.store.rotation.adminKeys.remove(key.accountId);
      const { id } = await beginWith(unknownSecret(), { isCompromise: true });
      const deps = driverDeps(partsOf(), double);
      const waiting = await driveToEnd(deps, id);
      expect(waiting).toMatchObject({ state: "observe", isVerified: false, endedAtMs: null });
      expect(waiting.problem).toContain(`keyward rotations cancel ${id}`);
      expect(waiting.problem).toContain(`keyward provider-keys revoke ${key.id}`);
      deps.skipTo(deps.nowMs() + 24 * 3_600_000);
      expect(await driveToEnd(deps, id)).toMatchObject({ state: "observe" });
      expect(double.keys.map(({ secret }) => secret)).toEqual([before]);
      await see("refused");
      const ended = await driveToEnd(deps, id);
      expect(ended.state).toBe("cancelled");
      expect(ended.problem).toContain(`keyward provider-keys revoke ${key.id}`);
      expect(await secretInUse()).toBe(before);
    });

    test("revokes the old one when a call was answered with the new one", async () => {
      const [old] = double.keys;
      const { id } = await begin({ isCompromise: true, graceMs: 0 });
      const deps = driverDeps(partsOf(), double);
      expect(await driveToEnd(deps, id)).toMatchObject({ state: "observe" });
      expect(double.keys).toContain(old);
      await see("worked");
      expect(await driveToEnd(deps, id)).toMatchObject({ state: "done", isVerified: true });
      expect(double.keys.map(({ secret }) => secret)).toEqual([await secretInUse()]);
    });

    test("revokes the old one by a person's explicit word, and tells that the new one was not seen to work", async () => {
      const { id } = await begin({ isCompromise: true, graceMs: 0 });
      const deps = driverDeps(partsOf(), double);
      expect((await admin.post(`/rotations/${id}/revoke-old`)).status).toBe(409);
      await driveToEnd(deps, id);
      const told = await admin.post(`/rotations/${id}/revoke-old`);
      expect(told).toMatchObject({ status: 200, body: { state: "grace", verified: false } });
      const ended = await driveToEnd(deps, id);
      expect(ended).toMatchObject({ state: "done", isVerified: false });
      expect(ended.notes.map(({ text }) => text).join()).toContain("without a call that the new");
      expect(double.keys).toHaveLength(1);
    });

    test("holds a list of models that anybody is shown for no proof", async () => {
      double.fault = undefined;
      double.isModelListOpen = true;
      const before = await secretInUse();
      const { id } = await beginWith(unknownSecret(), { isCompromise: true });
      const waiting = await driveToEnd(driverDeps(partsOf(), double), id);
      expect(waiting).toMatchObject({ state: "observe", isVerified: false });
      expect(waiting.notes.map(({ text }) => text).join()).toContain("with any secret");
      expect(double.keys.map(({ secret }) => secret)).toEqual([before]);
    });
  });

  test("with no grace lets every process hear of the new secret before the old one is deleted", async () => {
    const { id } = await begin({ graceMs: 0, observeMs: 0 });
    const deps = driverDeps(partsOf(), double);
    await driveTo(deps, id, "grace");
    const record = await admin.store.rotation.rotations.findById(id);
    expect(record?.graceUntilMs).toBe((record?.activatedAtMs ?? 0) + SWITCH_SPREAD_MS);
    expect(double.keys).toHaveLength(2);
    expect(await driveToEnd(deps, id)).toMatchObject({ state: "done" });
  });

  test("waits while the provider is in trouble, and for a person when it refuses", async () => {
    const { id } = await begin();
    let answers = 0;
    double.fault = () => (answers++ < 7 ? 503 : undefined);
    expect((await driveToEnd(driverDeps(partsOf(), double), id)).state).toBe("done");
    double.fault = ({ path }) => (path.includes("/organization/") ? 401 : undefined);
    key = (await admin.store.providerKeys.findById(key.id)) ?? key;
    const second = await begin();
    const failed = await driveToEnd(driverDeps(partsOf(), double), second.id);
    expect(failed).toMatchObject({ state: "failed", failedIn: "create" });
    expect(failed.problem).toContain("401");
    expect(JSON.stringify(failed)).not.toContain(double.adminKey);
  });

  describe("with a secret that a person brought", () => {
    test("finds both keys at the provider where it may, and deletes the old one", async () => {
      const [old] = double.keys;
      if (old === undefined) throw new Error("there is one key");
      const brought = double.addKey(old.projectId, old.accountId, "brought");
      const { id } = await beginWith(brought.secret);
      const ended = await driveToEnd(driverDeps(partsOf(), double), id);
      expect(ended).toMatchObject({ state: "done", oldFate: "refused" });
      expect(double.keys).toEqual([brought]);
    });

    test("without an admin key says that the old one is still valid", async () => {
      await admin.store.rotation.adminKeys.remove(key.accountId);
      const [old] = double.keys;
      const brought = double.addKey(old?.projectId ?? "", old?.accountId ?? "", "brought");
      const { id } = await beginWith(brought.secret);
      const ended = await driveToEnd(driverDeps(partsOf(), double), id);
      expect(ended).toMatchObject({ state: "done", oldFate: "valid" });
      expect(ended.notes.at(-1)?.text).toContain("delete it at the provider");
    });

    test("goes on with the old one when the provider refuses the new one", async () => {
      const before = await secretInUse();
      await admin.store.rotation.adminKeys.remove(key.accountId);
      const { id } = await beginWith(unknownSecret());
      const failed = await driveToEnd(driverDeps(partsOf(), double), id);
      expect(failed).toMatchObject({ state: "failed", failedIn: "test" });
      expect(await secretInUse()).toBe(before);
    });

    test("does not let a person's secret into production", async () => {
      const [old] = double.keys;
      const brought = double.addKey(old?.projectId ?? "", null, "a person's");
      const { id } = await beginWith(brought.secret);
      const failed = await driveToEnd(driverDeps(partsOf(), double), id);
      expect(failed).toMatchObject({ state: "failed", failedIn: "pending" });
      expect(failed.problem).toContain("is a person's (owner.type: user)");
    });

    test("lets a person's secret in where the policy only warns, and says so, or does not mind", async () => {
      for (const mode of ["warn", "off"] as const) {
        const policy = { modes: { no_personal_keys: mode } };
        await admin.store.environments.update(key.environmentId, { policy });
        key = (await admin.store.providerKeys.findById(key.id)) ?? key;
        const brought = double.addKey(double.projects[0]?.id ?? "", null, mode);
        const { id } = await beginWith(brought.secret);
        const ended = await driveToEnd(driverDeps(partsOf(), double), id);
        expect(ended.state).toBe("done");
        const warnings = ended.notes.filter(({ text }) => text.includes("is a person's"));
        expect(warnings).toHaveLength(mode === "warn" ? 1 : 0);
      }
    });
  });
});
