import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { adminUnderTest } from "../../../test/support/admin-under-test.ts";
import { OpenaiDouble } from "../../../test/support/openai-double.ts";
import {
  addDoubledKey,
  driverDeps,
  driveToEnd,
  sampleRotationOf,
} from "../../../test/support/rotation-under-test.ts";
import { enterState } from "../../core/rotation/rotation.ts";
import type { AskJson } from "../../providers/key-administration.ts";
import type { ProviderKeyRecord } from "../../store/records.ts";
import type { RotationRecord } from "../../store/rotation-records.ts";
import { BY_SYSTEM } from "../open-audit.ts";
import { lookLateOnce } from "./look-late.ts";
import { driveOnce } from "./rotation-driver.ts";
import { RotationLoop } from "./rotation-loop.ts";

describe("a key that the provider makes after the end of a rotation", () => {
  const admin = adminUnderTest();
  let double: OpenaiDouble;
  let key: ProviderKeyRecord;
  let deps: ReturnType<typeof driverDeps>;
  let loop: RotationLoop | undefined;
  beforeEach(async () => {
    double = new OpenaiDouble();
    const parts = { store: admin.store, vault: admin.vault, ids: admin.deps.ids };
    ({ key } = await addDoubledKey(parts, double));
    deps = driverDeps(parts, double);
  });
  afterEach(async () => {
    await loop?.stop();
    loop = undefined;
  });

  async function begin(changes: Partial<RotationRecord> = {}): Promise<RotationRecord["id"]> {
    const rotation = sampleRotationOf(admin.deps, key, deps.nowMs());
    await admin.store.rotation.rotations.insert({ ...rotation, ...changes });
    return rotation.id;
  }

  async function find(id: RotationRecord["id"]): Promise<RotationRecord> {
    const record = await admin.store.rotation.rotations.findById(id);
    if (record === undefined) throw new Error("the rotation is not there");
    return record;
  }

  /** The process that asks for the key dies while the provider makes it; what is given back makes it. */
  async function dieInCreation(id: RotationRecord["id"]): Promise<() => Promise<void>> {
    const creations: (() => Promise<void>)[] = [];
    const ask: AskJson = (question) => {
      const path = double.unsupported.has("create_key") ? "service_accounts" : "api_keys";
      const isCreation = question.method === "POST" && question.url.endsWith(path);
      if (!isCreation) return deps.ask(question);
      creations.push(async () => void (await deps.ask(question)));
      return new Promise(() => undefined);
    };
    for (let i = 0; i < 5 && creations.length === 0; i += 1) {
      const driven = driveOnce({ ...deps, ask }, await find(id));
      await Promise.race([driven, vi.waitUntil(() => creations.length > 0)]);
    }
    const [finish] = creations;
    if (finish === undefined) throw new Error("no key was asked for");
    return finish;
  }

  async function callOff(id: RotationRecord["id"]): Promise<void> {
    await admin.store.rotation.rotations.save(enterState(await find(id), "undo", deps.nowMs()));
  }

  /** Every look that is due by itself, one after the other. */
  async function lookUntilDone(id: RotationRecord["id"]): Promise<RotationRecord> {
    for (let i = 0; i < 20; i += 1) {
      const { store } = admin.deps;
      const record = await find(id);
      const driven = await store.as(BY_SYSTEM, () => lookLateOnce({ ...deps, store }, record));
      if (driven.kind !== "waits") continue;
      if (driven.untilMs === null) return await find(id);
      deps.skipTo(driven.untilMs);
    }
    throw new Error("it is looked for without an end");
  }

  const secretsThere = () => double.keys.map(({ secret }) => secret);

  async function secretInUse(): Promise<string> {
    const { sealed, version, environmentId, id } =
      (await admin.store.providerKeys.findById(key.id)) ?? key;
    return await admin.vault.open(sealed, { environmentId, secretId: id, version });
  }

  async function actionsOf(id: RotationRecord["id"]): Promise<readonly string[]> {
    const { rows } = await admin.store.audit.list({ limit: 100 }, { targetId: id });
    return rows.map(({ action }) => action);
  }

  test("is deleted by the process that runs then, and told of on the rotation and in the audit log", async () => {
    const id = await begin({ isCompromise: true });
    const finish = await dieInCreation(id);
    loop = new RotationLoop({
      ...deps,
      ids: admin.deps.ids,
      leaseId: admin.deps.ids.create("lea"),
      act: (work) => work(),
      tickMs: 5,
    });
    loop.start();
    await vi.waitFor(
      async () => {
        deps.skipTo(deps.nowMs() + 1_000);
        expect(await find(id)).toMatchObject({ state: "done" });
      },
      { timeout: 10_000, interval: 5 },
    );
    expect(double.keys).toHaveLength(1);
    await finish();
    expect(double.keys).toHaveLength(2);
    const [, orphan] = double.keys;
    deps.skipTo(deps.nowMs() + 20_000);
    await vi.waitFor(() => expect(double.keys).toHaveLength(1), { timeout: 10_000, interval: 5 });
    expect(secretsThere()).toEqual([await secretInUse()]);
    await vi.waitFor(async () => expect((await find(id)).lateLook?.deleted).toEqual([orphan?.id]));
    const ended = await find(id);
    expect(ended.state).toBe("done");
    expect(ended.notes.at(-1)?.text).toContain(orphan?.id);
  });

  test.each([
    ["in the service account of the old one", []],
    ["with a service account of its own", ["create_key"]],
  ] as const)("%s is deleted, whichever the end was", async (_, unsupported) => {
    for (const one of unsupported) double.unsupported.add(one);
    for (const state of ["done", "cancelled"] as const) {
      key = (await admin.store.providerKeys.findById(key.id)) ?? key;
      const id = await begin({ isCompromise: true });
      const finish = await dieInCreation(id);
      if (state === "cancelled") {
        // Called off with a second key written down: nobody waits for the first.
        while ((await find(id)).next === null) await driveOnce(deps, await find(id));
        await callOff(id);
      }
      expect((await driveToEnd(deps, id)).state).toBe(state);
      await finish();
      expect(double.keys).toHaveLength(2);
      const looked = await lookUntilDone(id);
      expect(looked).toMatchObject({ state, lateLook: { atMs: null } });
      expect(looked.lateLook?.deleted).toHaveLength(1);
      expect(secretsThere()).toEqual([await secretInUse()]);
      expect((await actionsOf(id)).includes("rotation.leftoverDeleted")).toBe(true);
    }
  });

  test("is deleted also where it came after the time that calling off waits for it", async () => {
    const id = await begin();
    const finish = await dieInCreation(id);
    await callOff(id);
    expect(await driveToEnd(deps, id)).toMatchObject({ state: "cancelled", next: null });
    deps.skipTo((await find(id)).lateLook?.atMs ?? 0);
    await lookLateOnce(deps, await find(id));
    await finish();
    await lookUntilDone(id);
    expect(secretsThere()).toEqual([await secretInUse()]);
  });

  test("is no key that one of ours has, also where that came into a service account of the rotation's name", async () => {
    double.unsupported.add("create_key");
    const first = await begin({ isCompromise: true });
    await driveToEnd(deps, first);
    double.unsupported.clear();
    key = (await admin.store.providerKeys.findById(key.id)) ?? key;
    const second = await begin({ isCompromise: true });
    await driveToEnd(deps, second);
    const { serviceAccountId, projectId } = (await find(second)).next?.remote ?? {};
    expect(double.serviceAccounts.at(-1)).toMatchObject({ id: serviceAccountId });
    // Named like the first rotation, and kept by nothing but that a provider key of ours has it.
    const named = double.addServiceAccount(projectId ?? "", `keyward-${first}`);
    const held = double.addKey(projectId ?? "", named.id, "Secret Key");
    const taken = { keyId: held.id, projectId: projectId ?? "", serviceAccountId: named.id };
    await admin.store.rotation.keyFacts.setRemote(key.id, taken);
    expect((await lookUntilDone(first)).lateLook?.deleted).toEqual([]);
    expect((await lookUntilDone(second)).lateLook?.deleted).toEqual([]);
    expect(secretsThere()).toEqual([await secretInUse(), held.secret]);
  });

  test("is looked for again until the provider answers, and status tells when it does not for long", async () => {
    const id = await begin({ isCompromise: true });
    const finish = await dieInCreation(id);
    await driveToEnd(deps, id);
    await finish();
    double.fault = ({ path }) => (path.includes("/organization/") ? 401 : undefined);
    for (let i = 0; i < 8; i += 1) {
      deps.skipTo((await find(id)).lateLook?.atMs ?? 0);
      await lookLateOnce(deps, await find(id));
    }
    const { body } = await admin.get("/status");
    expect(body).toMatchObject({
      stuckWork: [{ kind: "rotation", id, step: "late_look", hasFailed: false }],
    });
    expect(JSON.stringify(body)).toContain(`another keyward-${id} after the end`);
    double.fault = undefined;
    await lookUntilDone(id);
    expect(secretsThere()).toEqual([await secretInUse()]);
    expect((await admin.get("/status")).body).toMatchObject({ stuckWork: [] });
  });

  test("is looked for at no provider that was asked for no key", async () => {
    const id = await begin();
    await callOff(id);
    expect(await driveToEnd(deps, id)).toMatchObject({ state: "cancelled", lateLook: null });
  });
});
