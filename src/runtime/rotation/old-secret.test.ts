import { beforeEach, describe, expect, test } from "vitest";
import { adminUnderTest, call } from "../../../test/support/admin-under-test.ts";
import { OpenaiDouble } from "../../../test/support/openai-double.ts";
import {
  addDoubledKey,
  driverDeps,
  driveToEnd,
  sampleRotationOf,
} from "../../../test/support/rotation-under-test.ts";
import type { ProviderKeyRecord } from "../../store/records.ts";
import type { RotationRecord } from "../../store/rotation-records.ts";
import { BY_SYSTEM } from "../open-audit.ts";
import { lookAfterOnce } from "./look-after.ts";
import { sealVersion } from "./seal-version.ts";

describe("a stolen secret that nobody but a person can delete", () => {
  const admin = adminUnderTest();
  let double: OpenaiDouble;
  let key: ProviderKeyRecord;
  let deps: ReturnType<typeof driverDeps>;
  beforeEach(async () => {
    double = new OpenaiDouble();
    const { store, vault } = admin.deps;
    const parts = { store, vault, ids: admin.deps.ids };
    await store.as(BY_SYSTEM, async () => {
      ({ key } = await addDoubledKey(parts, double));
      await store.rotation.adminKeys.remove(key.accountId);
    });
    deps = driverDeps(parts, double);
  });

  async function find(id: RotationRecord["id"]): Promise<RotationRecord> {
    const record = await admin.store.rotation.rotations.findById(id);
    if (record === undefined) throw new Error("the rotation is not there");
    return record;
  }

  /** With a secret that a person brought. */
  async function rotate(changes: Partial<RotationRecord>): Promise<RotationRecord> {
    const [old] = double.keys;
    const { secret } = double.addKey(old?.projectId ?? "", old?.accountId ?? "", "brought");
    const whose = { keyId: key.id, environmentId: key.environmentId };
    const brought = await sealVersion(deps, whose, { secret, version: 2, remote: null });
    const rotation: RotationRecord = {
      ...sampleRotationOf(admin.deps, key, deps.nowMs()),
      way: "assisted",
      state: "pending",
      next: brought,
      ...changes,
    };
    await admin.store.rotation.rotations.insert(rotation);
    const { store } = admin.deps;
    return await store.as(BY_SYSTEM, () => driveToEnd(deps, rotation.id));
  }

  async function look(id: RotationRecord["id"]): Promise<RotationRecord> {
    deps.skipTo((await find(id)).oldCheckAtMs ?? 0);
    const record = await find(id);
    await admin.deps.store.as(BY_SYSTEM, () => lookAfterOnce(deps, record));
    return await find(id);
  }

  test("is tried until the provider refuses it, and reminded of until then", async () => {
    const ended = await rotate({ isCompromise: true });
    expect(ended).toMatchObject({ state: "done", oldFate: "valid" });
    expect(ended.old.sealed).not.toBeNull();
    expect((await admin.get("/status")).body).toMatchObject({
      stolenSecrets: [
        {
          rotationId: ended.id,
          environment: "production",
          oldSecret: "valid",
          keysPage: "https://platform.openai.com/api-keys",
        },
      ],
    });
    expect(await look(ended.id)).toMatchObject({ state: "done", oldFate: "valid" });
    // Trouble at the provider proves nothing.
    double.fault = () => 503;
    expect(await look(ended.id)).toMatchObject({ oldFate: "valid" });
    double.fault = undefined;
    double.keys.shift();
    expect(await look(ended.id)).toMatchObject({
      oldFate: "refused",
      oldCheckAtMs: null,
      old: { sealed: null },
    });
    expect(await admin.store.rotation.rotations.listLookIds()).toEqual([]);
    expect((await admin.get("/status")).body).toMatchObject({ stolenSecrets: [] });
    const { rows } = await admin.store.audit.list({ limit: 1 }, { targetId: ended.id });
    expect(rows).toMatchObject([{ action: "rotation.oldSecretEnded" }]);
  });

  /** The provider refuses calls with these secrets, and says so. */
  function refuse(secrets: readonly string[], code: string | null): void {
    const { ask } = driverDeps(admin.deps, double);
    deps.ask = async (question) => {
      const given = question.headers.find(([name]) => name === "authorization")?.[1].slice(7);
      const reply = await ask(question);
      if (given === undefined || !secrets.includes(given) || reply.kind !== "answered")
        return reply;
      return { ...reply, status: 401, body: { error: { message: "no", code } } };
    };
  }

  test.each(["ip_not_authorized", "mismatched_organization"])(
    "is not given up for a refusal that is about something else (%s)",
    async (code) => {
      const [stolen] = double.keys;
      refuse([stolen?.secret ?? ""], code);
      const { id, oldFate } = await rotate({ isCompromise: true });
      expect(oldFate).toBe("unknown");
      for (let looks = 0; looks < 3; looks += 1) await look(id);
      const kept = await find(id);
      expect(kept).toMatchObject({ oldFate: "unknown", oldRefusedAtMs: null });
      expect(kept.old.sealed).not.toBeNull();
      refuse([], null);
      expect(await look(id)).toMatchObject({ oldFate: "valid" });
    },
  );

  test("of a provider that says no reason is given up with a second refusal, while the secret in use is taken", async () => {
    const [stolen] = double.keys;
    const old = stolen?.secret ?? "";
    refuse([old], null);
    const { id, oldRefusedAtMs } = await rotate({ isCompromise: true });
    expect(oldRefusedAtMs).not.toBeNull();
    const present = double.keys.find(({ name }) => name === "brought")?.secret ?? "";
    // Neither is taken: that is not about the old one, and what was seen before counts no more.
    refuse([old, present], null);
    expect(await look(id)).toMatchObject({ oldFate: "unknown", oldRefusedAtMs: null });
    refuse([old], null);
    const first = await look(id);
    expect(first).toMatchObject({ oldFate: "unknown", oldRefusedAtMs: deps.nowMs() });
    expect(first.old.sealed).not.toBeNull();
    expect(await look(id)).toMatchObject({ oldFate: "refused", old: { sealed: null } });
  });

  test("is forgotten by a person's word, unless the provider still takes it", async () => {
    const { id } = await rotate({ isCompromise: true });
    let answer: "valid" | "unknown" = "valid";
    const keyDesk = { ...admin.deps.keyDesk, tryOldSecret: () => Promise.resolve(answer) };
    const confirm = () =>
      call(admin.appWith({ keyDesk }), `/rotations/${id}/confirm-revoked`, { method: "POST" });
    expect(await confirm()).toMatchObject({ status: 409 });
    expect(await find(id)).toMatchObject({ oldFate: "valid" });
    answer = "unknown";
    expect(await confirm()).toMatchObject({
      status: 200,
      body: { state: "done", oldSecret: "confirmed", awaitsRevocation: false },
    });
    const confirmed = await find(id);
    expect(confirmed).toMatchObject({ oldCheckAtMs: null, old: { sealed: null } });
    expect(confirmed.notes.at(-1)?.text).toContain("says that the old key is deleted");
    expect(await confirm()).toMatchObject({ status: 409 });
  });

  test("is neither kept nor reminded of where it was replaced for no theft", async () => {
    const ended = await rotate({ graceMs: 0 });
    expect(ended).toMatchObject({ oldFate: "valid", oldCheckAtMs: null, old: { sealed: null } });
    expect((await admin.get("/status")).body).toMatchObject({ stolenSecrets: [] });
    // It can leak afterwards, and is deleted then.
    const confirm = `/rotations/${ended.id}/confirm-revoked`;
    expect((await admin.post(confirm)).body).toMatchObject({ oldSecret: "confirmed" });
    expect((await admin.post(confirm)).status).toBe(409);
  });
});
