import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { ownershipOf, UNKNOWN_OWNERSHIP } from "../../core/keys/ownership.ts";
import { enterState } from "../../core/rotation/rotation.ts";
import type { ProviderKeyRecord } from "../records.ts";
import type { AdminKeyRecord, RotationRecord } from "../rotation-records.ts";
import { UniqueViolationError } from "../store.ts";
import { changesSince, type CreateTestDatabase, readAll, useDatabase } from "./fixture.contract.ts";
import {
  ids,
  insertBelongings,
  SAMPLE_TIME_MS,
  sampleEvent,
  sampleHash,
  sampleProviderKey,
} from "./samples.contract.ts";

export function sampleRotation(
  key: ProviderKeyRecord,
  overrides: Partial<RotationRecord> = {},
): RotationRecord {
  const id = ids.create("rot");
  return {
    id,
    keyId: key.id,
    accountId: key.accountId,
    environmentId: key.environmentId,
    revision: 0,
    state: "create",
    way: "automatic",
    isCompromise: false,
    observeMs: 1,
    graceMs: 2,
    stateSinceMs: SAMPLE_TIME_MS,
    isVerified: false,
    activatedAtMs: null,
    graceUntilMs: null,
    attempts: 0,
    nextAttemptAtMs: SAMPLE_TIME_MS,
    problem: null,
    failedIn: null,
    endedAtMs: null,
    trigger: "request",
    remoteName: `keyward-${id}`,
    old: {
      version: key.version,
      preview: key.preview,
      fingerprint: key.fingerprint,
      sealed: null,
      remote: { keyId: "key_1", projectId: "proj_1", serviceAccountId: null },
      ownership: UNKNOWN_OWNERSHIP,
    },
    next: null,
    isOldExpiring: false,
    oldFate: null,
    oldCheckAtMs: null,
    oldRefusedAtMs: null,
    isHeld: false,
    lateLook: null,
    notes: [{ atMs: SAMPLE_TIME_MS, state: "create", text: "begun" }],
    createdBy: "local",
    createdAtMs: SAMPLE_TIME_MS,
    ...overrides,
  };
}

export function describeRotations(createDatabase: CreateTestDatabase): void {
  describe("rotations", () => {
    const fixture = useDatabase(createDatabase);

    async function insertKey() {
      const of = await insertBelongings(fixture.store);
      const key = sampleProviderKey(of);
      await fixture.store.providerKeys.insert(key);
      return { of, key };
    }

    test("come back as they were inserted and as they were saved, seals included", async () => {
      const { rotations } = fixture.store.rotation;
      const { of, key } = await insertKey();
      const rotation = sampleRotation(key);
      await rotations.insert(rotation);
      expect(await rotations.findById(rotation.id)).toEqual(rotation);
      expect(await rotations.findOpenOf(key.id)).toEqual(rotation);
      const other = sampleProviderKey(of);
      expect(await rotations.findOpenIds([other.id, key.id])).toEqual(
        new Map([[key.id, rotation.id]]),
      );
      const sealed = {
        dataKeyId: of.dataKey.id,
        nonce: new Uint8Array(randomBytes(12)),
        ciphertext: new Uint8Array(randomBytes(60)),
      };
      const saved = await rotations.save({
        ...enterState(rotation, "pending", SAMPLE_TIME_MS + 5),
        next: {
          ...rotation.old,
          version: 2,
          sealed,
          ownership: ownershipOf({ secret: "sk-None-" }),
        },
        old: { ...rotation.old, sealed },
        isOldExpiring: true,
      });
      expect(saved).toMatchObject({ revision: 1, state: "pending", next: { sealed } });
      expect(await rotations.findById(rotation.id)).toEqual(saved);
    });

    test("are found by the secret that they replace, the newest of several", async () => {
      const { rotations } = fixture.store.rotation;
      const { key } = await insertKey();
      const ended = { endedAtMs: SAMPLE_TIME_MS, state: "done" } as const;
      const first = sampleRotation(key, { ...ended, oldFate: "refused" });
      const second = sampleRotation(key, { ...ended, createdAtMs: SAMPLE_TIME_MS + 1 });
      const other = { ...first.old, fingerprint: sampleHash() };
      const third = sampleRotation(key, { createdAtMs: SAMPLE_TIME_MS + 2, old: other });
      for (const rotation of [second, first, third]) await rotations.insert(rotation);
      expect(await rotations.findByOldSecret(key.fingerprint)).toEqual(second);
      expect(await rotations.findByOldSecret(other.fingerprint)).toEqual(third);
      expect(await rotations.findByOldSecret(sampleHash())).toBeUndefined();
    });

    test("are changed by nobody who has seen an older revision, of many at once by one", async () => {
      const { store, database } = fixture;
      const { key } = await insertKey();
      const rotation = sampleRotation(key);
      await store.rotation.rotations.insert(rotation);
      const answers = await Promise.all(
        Array.from({ length: 4 }, (_, i) =>
          database.open().rotation.rotations.save({ ...rotation, problem: `driver ${i}` }),
        ),
      );
      expect(answers.filter((answer) => answer !== undefined)).toHaveLength(1);
      expect(await store.rotation.rotations.save(rotation)).toBeUndefined();
      expect((await store.rotation.rotations.findById(rotation.id))?.revision).toBe(1);
    });

    test("have one open a key: of two at once one is refused, and the next comes after its end", async () => {
      const { store, database } = fixture;
      const { key } = await insertKey();
      const pair = [sampleRotation(key), sampleRotation(key)];
      const answers = await Promise.allSettled(
        pair.map((one) => database.open().rotation.rotations.insert(one)),
      );
      const refused = answers.filter((answer) => answer.status === "rejected");
      expect(refused).toHaveLength(1);
      expect(refused[0]?.reason).toBeInstanceOf(UniqueViolationError);
      expect(refused[0]?.reason).toMatchObject({ field: "keyId" });
      const open = await store.rotation.rotations.findOpenOf(key.id);
      if (open === undefined) throw new Error("one is open");
      await store.rotation.rotations.save({ ...open, endedAtMs: SAMPLE_TIME_MS });
      expect(await store.rotation.rotations.findOpenOf(key.id)).toBeUndefined();
      await store.rotation.rotations.insert(sampleRotation(key));
    });

    test("are listed to the end, by key and by whether they are open", async () => {
      const { rotations } = fixture.store.rotation;
      const one = await insertKey();
      const two = await insertKey();
      const all = Array.from({ length: 9 }, (_, i) =>
        sampleRotation(i % 2 === 0 ? one.key : two.key, {
          createdAtMs: SAMPLE_TIME_MS + i,
          endedAtMs: i < 7 ? SAMPLE_TIME_MS + i : null,
        }),
      );
      for (const rotation of all) await rotations.insert(rotation);
      const newest = all.toReversed();
      for (const [filter, expected] of [
        [{}, newest],
        [{ keyId: one.key.id }, newest.filter(({ keyId }) => keyId === one.key.id)],
        [{ isOpen: true }, newest.slice(0, 2)],
        [{ isOpen: false, keyId: two.key.id }, newest.slice(2).filter((_, i) => i % 2 === 1)],
      ] as const) {
        const rows = await readAll(2, (page) => rotations.list(page, filter));
        expect(rows.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
      }
      expect(await rotations.listOpenIds()).toEqual(all.slice(7).map(({ id }) => id));
    });

    test("are looked after once more when they have ended, the most urgent first, and no more after the last time", async () => {
      const { rotations } = fixture.store.rotation;
      const { key } = await insertKey();
      const ended = { state: "done", endedAtMs: SAMPLE_TIME_MS } as const;
      const lookAt = (atMs: number | null) => ({
        ...ended,
        lateLook: { atMs, failures: 2, problem: "no answer", deleted: ["key_9"] },
      });
      const [later, soon, never] = [lookAt(20), lookAt(10), lookAt(null)].map((changes) =>
        sampleRotation(key, changes),
      );
      const all = [later, soon, never, sampleRotation(key)];
      for (const rotation of all) if (rotation !== undefined) await rotations.insert(rotation);
      expect(await rotations.listLookIds()).toEqual([soon?.id, later?.id]);
      expect(await rotations.listLookIds(10)).toEqual([soon?.id]);
      expect(await rotations.listLookIds(9)).toEqual([]);
      if (soon === undefined) throw new Error("it is there");
      expect(await rotations.findById(soon.id)).toEqual(soon);
      await rotations.save({ ...soon, ...lookAt(null) });
      expect(await rotations.listLookIds()).toEqual([later?.id]);
    });

    test("give the key its next secret, once, and note the change", async () => {
      const { store } = fixture;
      const { of, key } = await insertKey();
      const other = sampleProviderKey(of);
      await store.providerKeys.insert(other);
      const { dataKey } = of;
      const sealed = {
        dataKeyId: dataKey.id,
        nonce: Uint8Array.of(1),
        ciphertext: Uint8Array.of(2),
      };
      const secret = { version: 2, sealed, fingerprint: sampleHash(), preview: "sk-proj-…new1" };
      const before = await store.changes.latestSequence();
      const replaced = { ...secret, previousVersion: 1 };
      expect(await store.providerKeys.replaceSecret(key.id, replaced)).toBe(true);
      expect(await store.providerKeys.replaceSecret(key.id, replaced)).toBe(false);
      expect(await store.providerKeys.findById(key.id)).toEqual({ ...key, ...secret });
      expect(await changesSince(store, before)).toEqual([`providerKey ${key.id}`]);
      await expect(
        store.providerKeys.replaceSecret(other.id, { ...replaced, sealed }),
      ).rejects.toMatchObject({ field: "fingerprint" });
      await store.providerKeys.revoke(other.id, SAMPLE_TIME_MS);
      expect(
        await store.providerKeys.replaceSecret(other.id, {
          ...replaced,
          fingerprint: sampleHash(),
        }),
      ).toBe(false);
    });
  });

  describe("what is known of a provider key", () => {
    const fixture = useDatabase(createDatabase);

    async function insertKey() {
      const key = sampleProviderKey(await insertBelongings(fixture.store));
      await fixture.store.providerKeys.insert(key);
      return key;
    }

    test("is nothing at first, and then what the strongest source has said", async () => {
      const { keyFacts } = fixture.store.rotation;
      const { id } = await insertKey();
      expect(await keyFacts.of(id)).toMatchObject({
        ownership: UNKNOWN_OWNERSHIP,
        worked: null,
        remote: null,
      });
      expect((await keyFacts.ofAll([id])).size).toBe(0);
      const response = ownershipOf({ organizationHeader: "user-1" });
      await keyFacts.noteOwnership(id, response, 7);
      await keyFacts.noteOwnership(id, ownershipOf({ secret: "sk-svcacct-" }), 8);
      await keyFacts.noteOwnership(id, UNKNOWN_OWNERSHIP, 9);
      expect(await keyFacts.of(id)).toMatchObject({ ownership: response, ownershipSeenAtMs: 7 });
      const admin = ownershipOf({ adminOwnerType: "service_account" });
      await keyFacts.noteOwnership(id, admin, 10);
      expect((await keyFacts.ofAll([id])).get(id)).toMatchObject({
        ownership: admin,
        ownershipSeenAtMs: 10,
      });
    });

    test("tells every process when a call shows another owner, once", async () => {
      const { changes, rotation } = fixture.store;
      const { id } = await insertKey();
      const before = await changes.latestSequence();
      const ownership = ownershipOf({ organizationHeader: "user-1" });
      const sighting = { keyId: id, version: 1, atMs: 5, kind: "worked", ownership } as const;
      await rotation.keyFacts.noteSightings([sighting, sighting]);
      await rotation.keyFacts.noteSightings([{ ...sighting, version: 2 }]);
      expect(await changes.listSince(before, 10)).toMatchObject([
        { kind: "providerKey", entityId: id },
      ]);
    });

    test("keeps the first sighting of the newest version, in whichever order they come", async () => {
      const { keyFacts } = fixture.store.rotation;
      const { id } = await insertKey();
      const sighting = { keyId: id, version: 2, atMs: 5, kind: "worked" } as const;
      await keyFacts.noteSightings([
        sighting,
        { ...sighting, atMs: 4 },
        { ...sighting, version: 1, atMs: 9 },
        { ...sighting, version: 3, kind: "refused" },
      ]);
      expect(await keyFacts.of(id)).toMatchObject({
        worked: { version: 2, atMs: 5 },
        refused: { version: 3, atMs: 5 },
      });
    });

    test("is forgotten with the secret that it was known of, but for the schedule", async () => {
      const { keyFacts } = fixture.store.rotation;
      const { id } = await insertKey();
      await keyFacts.noteOwnership(id, ownershipOf({ adminOwnerType: "user" }), 7);
      await keyFacts.setRemote(id, { keyId: "k", projectId: "p", serviceAccountId: "s" });
      await keyFacts.setSchedule(id, 30);
      const ownership = ownershipOf({ secret: "sk-svcacct-" });
      await keyFacts.startSecret(id, { sinceMs: 20, ownership, remote: null });
      expect(await keyFacts.of(id)).toMatchObject({
        ownership,
        ownershipSeenAtMs: 20,
        remote: null,
        secretSinceMs: 20,
        rotateEveryDays: 30,
      });
    });

    test("tells what the provider calls the keys in use in one of its projects", async () => {
      const { providerKeys, rotation } = fixture.store;
      const [one, two, three] = [await insertKey(), await insertKey(), await insertKey()];
      const projectId = `proj_${one.id}`;
      const remote = (keyId: string) => ({ keyId, projectId, serviceAccountId: "sa_1" });
      await rotation.keyFacts.setRemote(one.id, remote("key_1"));
      await rotation.keyFacts.setRemote(two.id, { ...remote("key_2"), projectId: "proj_2" });
      await rotation.keyFacts.setRemote(three.id, remote("key_3"));
      await providerKeys.revoke(three.id, SAMPLE_TIME_MS);
      expect(await rotation.keyFacts.listRemotes(projectId)).toEqual([remote("key_1")]);
    });

    test("names the keys that are to be rotated by themselves while they are in use", async () => {
      const { providerKeys, rotation } = fixture.store;
      const [one, two, three] = [await insertKey(), await insertKey(), await insertKey()];
      await rotation.keyFacts.setSchedule(one.id, 30);
      await rotation.keyFacts.setSchedule(two.id, 60);
      await rotation.keyFacts.setSchedule(two.id, null);
      await rotation.keyFacts.setSchedule(three.id, 90);
      await providerKeys.revoke(three.id, SAMPLE_TIME_MS);
      const scheduled = await rotation.keyFacts.listScheduled();
      expect(scheduled.map(({ keyId }) => keyId)).toEqual([one.id]);
    });

    test("tells who has called with it since a time, the last first", async () => {
      const { store } = fixture;
      const { id } = await insertKey();
      const [a, b] = [ids.create("key"), ids.create("key")];
      const event = (gatewayKeyId: typeof a, startedAtMs: number, customer: string | null = null) =>
        sampleEvent({ gatewayKeyId, startedAtMs, customer, providerKeyId: id });
      await store.usage.insertBatch({
        events: [
          event(a, 10),
          event(a, 30),
          event(b, 20, "acme"),
          event(b, 25, "acme"),
          event(b, 5, "acme"),
          sampleEvent({ gatewayKeyId: a, startedAtMs: 40 }),
        ],
        refusals: [],
      });
      expect(await store.rotation.usersOf(id, 10, 10)).toEqual([
        { gatewayKeyId: a, customer: null, calls: 2, firstUsedAtMs: 10, lastUsedAtMs: 30 },
        { gatewayKeyId: b, customer: "acme", calls: 2, firstUsedAtMs: 20, lastUsedAtMs: 25 },
      ]);
      expect(await store.rotation.usersOf(id, 10, 1)).toHaveLength(1);
    });
  });

  describe("the key that manages an account's keys", () => {
    const fixture = useDatabase(createDatabase);

    test("is one an account, replaced only by who knows the one before", async () => {
      const { store } = fixture;
      const { account, dataKey } = await insertBelongings(store);
      const { adminKeys } = store.rotation;
      const record: AdminKeyRecord = {
        accountId: account.id,
        version: 1,
        sealed: { dataKeyId: dataKey.id, nonce: Uint8Array.of(1), ciphertext: Uint8Array.of(2) },
        preview: "sk-admin-…9fQa",
        fingerprint: sampleHash(),
        createdBy: "local",
        createdAtMs: SAMPLE_TIME_MS,
      };
      expect(await adminKeys.find(account.id)).toBeUndefined();
      expect(await adminKeys.put(record)).toBe(true);
      expect(await adminKeys.put(record)).toBe(false);
      const second = { ...record, version: 2, preview: "sk-admin-…2222" };
      expect(await adminKeys.put(second)).toBe(true);
      expect(await adminKeys.find(account.id)).toEqual(second);
      expect(await adminKeys.listByFingerprint(record.fingerprint ?? "")).toEqual([second]);
      expect(await adminKeys.listByFingerprint(sampleHash())).toEqual([]);
      expect(await adminKeys.remove(account.id)).toBe(true);
      expect(await adminKeys.remove(account.id)).toBe(false);
      expect(await adminKeys.find(account.id)).toBeUndefined();
    });
  });
}
