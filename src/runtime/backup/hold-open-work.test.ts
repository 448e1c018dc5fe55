import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { adminUnderTest, call, postOf } from "../../../test/support/admin-under-test.ts";
import { OpenaiDouble } from "../../../test/support/openai-double.ts";
import {
  addDoubledAccount,
  addDoubledKey,
  driverDeps,
  driveToEnd,
  sampleProvisionOf,
  sampleRotationOf,
} from "../../../test/support/rotation-under-test.ts";
import type { ProvisionRecord } from "../../store/provision-repository.ts";
import type { RotationRecord } from "../../store/rotation-records.ts";
import { SqliteStore } from "../../store/sqlite/sqlite-store.ts";
import { BY_LOCAL, BY_SYSTEM, openAudit } from "../open-audit.ts";
import { lookLateAtProvision } from "../provisioning/look-late-provision.ts";
import { driveProvisionOnce } from "../provisioning/provision-driver.ts";
import { rotateScheduled } from "../rotation/rotate-scheduled.ts";
import { driveOnce } from "../rotation/rotation-driver.ts";
import { holdOpenWork, type HeldWork } from "./hold-open-work.ts";

type Deps = ReturnType<typeof driverDeps>;

describe("a copy that was put back from a backup, while the installation of the backup is alive", () => {
  const admin = adminUnderTest();
  const copies: SqliteStore[] = [];
  let double: OpenaiDouble;
  let original: Deps;
  beforeEach(() => {
    double = new OpenaiDouble();
    original = driverDeps({ store: admin.store, vault: admin.vault, ids: admin.deps.ids }, double);
  });
  afterEach(async () => {
    for (const copy of copies.splice(0)) await copy.close();
  });

  function backUp(): string {
    const path = `${admin.databasePath}.copy-${admin.deps.ids.create("req")}`;
    new DatabaseSync(admin.databasePath).exec(`vacuum into '${path}'`);
    return path;
  }

  async function putBack(path: string) {
    const direct = new SqliteStore({ path, isInline: true });
    copies.push(direct);
    const { vault, ids } = admin.deps;
    const parts = { store: direct, vault, nowMs: original.nowMs, markPlace: undefined };
    const store = await openAudit(parts);
    const held: HeldWork = await store.as(BY_LOCAL, () => holdOpenWork(store, original.nowMs()));
    const app = admin.appWith({ store });
    const post = (where: string, body?: unknown) => call(app, where, postOf(body));
    const deps = driverDeps({ store, vault, ids }, double);
    return { held, store, post, deps, status: () => call(app, "/status") };
  }

  async function rotationOf({ store }: Pick<Deps, "store">, id: RotationRecord["id"]) {
    const record = await store.rotation.rotations.findById(id);
    if (record === undefined) throw new Error("the rotation is not there");
    return record;
  }

  async function provisionOf({ store }: Pick<Deps, "store">, id: ProvisionRecord["id"]) {
    const record = await store.rotation.provisions.findById(id);
    if (record === undefined) throw new Error("the provision is not there");
    return record;
  }

  async function provide(deps: Deps, id: ProvisionRecord["id"]): Promise<ProvisionRecord> {
    for (let i = 0; i < 100; i += 1) {
      const record = await provisionOf(deps, id);
      if (record.endedAtMs !== null || record.state === "failed") return record;
      const driven = await driveProvisionOnce(deps, record);
      if (driven.kind === "waits") deps.skipTo(driven.untilMs ?? 0);
    }
    throw new Error("it does not end");
  }

  const secrets = () => double.keys.map(({ secret }) => secret);
  const changes = () => double.log.filter((line) => !line.startsWith("GET"));

  test("deletes nothing for a rotation that the backup has in create, until a person says that the other is gone", async () => {
    const parts = { store: admin.store, vault: admin.vault, ids: admin.deps.ids };
    const { key } = await addDoubledKey(parts, double);
    const rotation = sampleRotationOf(admin.deps, key, original.nowMs());
    await admin.store.rotation.rotations.insert(rotation);
    await driveOnce(original, rotation);
    expect(await rotationOf(original, rotation.id)).toMatchObject({ state: "create" });
    const [kept, given] = [backUp(), backUp()];
    expect(await driveToEnd(original, rotation.id)).toMatchObject({ state: "done" });
    const [inUse, ...others] = secrets();
    expect(others).toEqual([]);
    const before = changes();

    const copy = await putBack(kept);
    expect(copy.held).toMatchObject({ heldRotations: 1, heldProvisions: 0 });
    expect(await holdOpenWork(copy.store, 1)).toMatchObject({ heldRotations: 0 });
    const held = await driveToEnd(copy.deps, rotation.id);
    expect(held).toMatchObject({ state: "failed", failedIn: "create", isHeld: true });
    const at = `/rotations/${rotation.id}`;
    expect((await copy.status()).body).toMatchObject({
      stuckWork: [{ id: rotation.id, step: "create", held: true }],
    });
    for (const body of [undefined, {}, { originalGone: false }]) {
      const refused = await copy.post(`${at}/retry`, body);
      expect([refused.status, refused.text]).toEqual([409, expect.stringContaining("is gone")]);
    }
    expect(await copy.post(`${at}/cancel`)).toMatchObject({
      status: 200,
      body: { state: "cancelled", held: false, endedAt: expect.any(String) as string },
    });
    expect(await rotationOf(copy.deps, rotation.id)).toMatchObject({ lateLook: null });
    expect(await copy.store.rotation.rotations.findOpenOf(key.id)).toBeUndefined();
    expect([secrets(), changes()]).toEqual([[inUse], before]);

    const other = await putBack(given);
    const gone = await other.post(`${at}/retry`, { originalGone: true });
    expect(gone).toMatchObject({ status: 200, body: { state: "create", held: false } });
    other.deps.skipTo(original.nowMs());
    const done = await other.store.as(BY_SYSTEM, () => driveToEnd(other.deps, rotation.id));
    expect(done).toMatchObject({ state: "done", isVerified: true });
    expect(secrets()).toHaveLength(1);
    expect(secrets()).not.toContain(inUse);
  });

  test("gives a rotation up whose new secret is in use without going back to the old one", async () => {
    const parts = { store: admin.store, vault: admin.vault, ids: admin.deps.ids };
    const { key } = await addDoubledKey(parts, double);
    const rotation = sampleRotationOf(admin.deps, key, original.nowMs());
    await admin.store.rotation.rotations.insert(rotation);
    while ((await rotationOf(original, rotation.id)).state !== "observe") {
      await driveOnce(original, await rotationOf(original, rotation.id));
    }
    const both = secrets();
    const copy = await putBack(backUp());
    const { sealed } = (await copy.store.providerKeys.findById(key.id)) ?? {};
    expect(await copy.post(`/rotations/${rotation.id}/revoke-old`)).toMatchObject({ status: 409 });
    expect(await copy.post(`/rotations/${rotation.id}/cancel`)).toMatchObject({ status: 200 });
    expect(await rotationOf(copy.deps, rotation.id)).toMatchObject({
      state: "cancelled",
      old: { sealed: null },
      next: { sealed: null },
    });
    expect((await copy.store.providerKeys.findById(key.id))?.sealed).toEqual(sealed);
    expect(secrets()).toEqual(both);
  });

  test.each(["project", "add"])(
    "deletes nothing for a provision that the backup has in %s",
    async (state) => {
      const account = await addDoubledAccount(
        { store: admin.store, vault: admin.vault, ids: admin.deps.ids },
        double,
      );
      const environment = await admin.store.environments.findByName("production");
      if (environment === undefined) throw new Error("there is no production");
      // Both have the environment's data key: this vault is of the two of them.
      const place = { environmentId: environment.id, secretId: "any", version: 1 };
      await admin.vault.seal("any", place);
      const { id, ...rest } = sampleProvisionOf(
        admin.deps,
        { environment, account },
        original.nowMs(),
      );
      await admin.store.rotation.provisions.insert({ id, ...rest });
      while ((await provisionOf(original, id)).state !== state) {
        await driveProvisionOnce(original, await provisionOf(original, id));
      }
      const [kept, given] = [backUp(), backUp()];
      expect(await provide(original, id)).toMatchObject({ state: "done" });
      const made = secrets();
      const before = changes();

      const copy = await putBack(kept);
      expect(copy.held).toMatchObject({ heldRotations: 0, heldProvisions: 1 });
      expect(await provide(copy.deps, id)).toMatchObject({ state: "failed", isHeld: true });
      const at = `/provisions/${id}`;
      expect(await copy.post(`${at}/retry`)).toMatchObject({ status: 409 });
      expect(await copy.post(`${at}/cancel`)).toMatchObject({
        status: 200,
        body: { state: "cancelled", held: false },
      });
      expect(await provisionOf(copy.deps, id)).toMatchObject({ lateLook: null });
      // The original's looks find nothing that the copy has made.
      original.skipTo((await provisionOf(original, id)).lateLook?.atMs ?? 0);
      await lookLateAtProvision(original, await provisionOf(original, id));
      expect([secrets(), changes()]).toEqual([made, before]);

      const other = await putBack(given);
      expect(await other.post(`${at}/retry`, { originalGone: true })).toMatchObject({
        status: 200,
        body: { state, held: false },
      });
      other.deps.skipTo(original.nowMs());
      const done = await other.store.as(BY_SYSTEM, () => provide(other.deps, id));
      expect(done).toMatchObject({ state: "done" });
      expect(secrets()).toHaveLength(1);
    },
  );

  test("looks after nothing that has ended, and begins no rotation by itself", async () => {
    const parts = { store: admin.store, vault: admin.vault, ids: admin.deps.ids };
    const { key } = await addDoubledKey(parts, double);
    const rotation = sampleRotationOf(admin.deps, key, original.nowMs());
    await admin.store.rotation.rotations.insert(rotation);
    await driveToEnd(original, rotation.id);
    await admin.store.rotation.keyFacts.setSchedule(key.id, 30);
    original.skipTo(original.nowMs() + 31 * 86_400_000);
    const copy = await putBack(backUp());
    expect(copy.held).toEqual({
      heldRotations: 0,
      heldProvisions: 0,
      droppedLooks: 1,
      endedSchedules: [{ keyId: key.id, name: "main", rotateEveryDays: 30 }],
    });
    const ended = await rotationOf(copy.deps, rotation.id);
    expect(ended).toMatchObject({ state: "done", lateLook: { atMs: null } });
    expect(ended.notes.at(-1)?.text).toContain("put back from a backup");
    copy.deps.skipTo(original.nowMs());
    await rotateScheduled({ ...copy.deps, ids: admin.deps.ids });
    expect(await copy.store.rotation.rotations.listOpenIds()).toEqual([]);
    await rotateScheduled({ ...original, ids: admin.deps.ids });
    expect(await original.store.rotation.rotations.listOpenIds()).toHaveLength(1);
  });
});
