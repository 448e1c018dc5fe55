import { describe, expect, it } from "vitest";
import type { EnvironmentId, GatewayKeyId, ProjectId } from "../core/ids/ids.ts";
import {
  Snapshot,
  type EnvironmentRouting,
  type KeyEntry,
  type SnapshotChange,
  type SnapshotSource,
} from "./snapshot.ts";

const ENVIRONMENT = "env_1" as EnvironmentId;

function keyEntry(id: string): KeyEntry {
  return {
    id: id as GatewayKeyId,
    projectId: "prj_1" as ProjectId,
    environmentId: ENVIRONMENT,
    environmentName: "development",
    environmentKind: "development",
    customer: null,
    allowedModels: null,
    restrictions: null,
    isForBrowsers: false,
    expiresAtMs: null,
    revokedAtMs: null,
    superseded: null,
  };
}

/** A store that is as slow as the test wants it to be. */
class Source implements SnapshotSource {
  readonly keys = new Map<string, KeyEntry>();
  readonly changes: SnapshotChange[] = [];
  lookUps = 0;
  routeLoads = 0;
  isDown = false;
  gate: Promise<void> = Promise.resolve();

  async findKeyByHash(hash: string): Promise<KeyEntry | undefined> {
    this.lookUps += 1;
    if (this.isDown) throw new Error("down");
    const found = this.keys.get(hash);
    await this.gate;
    return found;
  }

  findKeyById(id: string): Promise<KeyEntry | undefined> {
    return this.findKeyByHash(id);
  }

  async loadRouting(): Promise<EnvironmentRouting> {
    this.routeLoads += 1;
    if (this.isDown) throw new Error("down");
    return { routes: [], rules: [], unpricedPolicy: "allow_and_alert" };
  }

  async latestSequence(): Promise<number> {
    return this.changes.at(-1)?.sequence ?? 0;
  }

  async changesSince(sequence: number): Promise<SnapshotChange[]> {
    return this.changes.filter((change) => change.sequence > sequence);
  }
}

function createSnapshot(options: { maxKeys?: number } = {}) {
  const source = new Source();
  const clock = { nowMs: 1000 };
  const snapshot = new Snapshot(source, {
    maxKeys: options.maxKeys ?? 10,
    maxMisses: 2,
    missTtlMs: 50,
    maxUnwatchedMs: 1000,
    monotonicMs: () => clock.nowMs,
  });
  return { source, clock, snapshot };
}

describe("Snapshot", () => {
  it("forgets a key with all its secrets when it changes, and one secret alone when room is needed", async () => {
    const { source, snapshot } = createSnapshot({ maxKeys: 2 });
    await snapshot.start();
    const superseded = { supersededAtMs: 1, validUntilMs: 2, reason: "replaced" } as const;
    source.keys.set("new", keyEntry("key_1"));
    source.keys.set("old", { ...keyEntry("key_1"), superseded });
    source.keys.set("other", keyEntry("key_2"));
    await snapshot.findKey("old");
    await snapshot.findKey("new");
    expect(source.lookUps).toBe(2);
    expect(snapshot.findKey("old")).not.toBeInstanceOf(Promise);
    // Room for two: the least used one goes, which is the new secret of the first key.
    await snapshot.findKey("other");
    expect(snapshot.findKey("old")).not.toBeInstanceOf(Promise);
    await snapshot.findKey("new");
    await snapshot.findKey("old");
    source.changes.push({ sequence: 1, kind: "gatewayKey", entityId: "key_1" });
    await snapshot.refresh();
    for (const hash of ["old", "new"]) expect(snapshot.findKey(hash)).toBeInstanceOf(Promise);
  });

  it("asks the store once for a key, however many calls come at once", async () => {
    const { source, snapshot } = createSnapshot();
    source.keys.set("h", keyEntry("key_1"));
    await Promise.all([snapshot.findKey("h"), snapshot.findKey("h")]);
    expect(await snapshot.findKey("h")).toMatchObject({ id: "key_1" });
    expect(source.lookUps).toBe(1);
  });

  it("remembers an unknown key only for a while", async () => {
    const { source, clock, snapshot } = createSnapshot();
    expect(await snapshot.findKey("h")).toBeUndefined();
    expect(await snapshot.findKey("h")).toBeUndefined();
    expect(source.lookUps).toBe(1);
    clock.nowMs += 51;
    await snapshot.findKey("h");
    expect(source.lookUps).toBe(2);
  });

  it("knows a new key as soon as its change has arrived, although it was asked for before", async () => {
    const { source, snapshot } = createSnapshot();
    await snapshot.findKey("h");
    source.keys.set("h", keyEntry("key_1"));
    source.changes.push({ sequence: 1, kind: "gatewayKey", entityId: "key_1" });
    await snapshot.refresh();
    expect(await snapshot.findKey("h")).toMatchObject({ id: "key_1" });
  });

  it("never keeps a key that was loaded before its revocation and arrived after it", async () => {
    const { source, snapshot } = createSnapshot();
    const gate = Promise.withResolvers<void>();
    source.gate = gate.promise;
    source.keys.set("h", keyEntry("key_1"));
    const loading = snapshot.findKey("h");
    source.keys.set("h", { ...keyEntry("key_1"), revokedAtMs: 5 });
    source.changes.push({ sequence: 1, kind: "gatewayKey", entityId: "key_1" });
    await snapshot.refresh();
    gate.resolve();
    await loading;
    expect(await snapshot.findKey("h")).toMatchObject({ revokedAtMs: 5 });
  });

  it("keeps at most so many keys and drops the one that was not used for longest", async () => {
    const { source, snapshot } = createSnapshot({ maxKeys: 2 });
    for (const name of ["a", "b", "c"]) source.keys.set(name, keyEntry(`key_${name}`));
    await snapshot.findKey("a");
    await snapshot.findKey("b");
    await snapshot.findKey("a");
    await snapshot.findKey("c");
    await snapshot.findKey("a");
    expect(source.lookUps).toBe(3);
    await snapshot.findKey("b");
    expect(source.lookUps).toBe(4);
  });

  it("has calls wait for the changes that it slept through, whoever looks for them first, and no others", async () => {
    for (const isLookedForFirst of [false, true]) {
      const { source, clock, snapshot } = createSnapshot();
      source.keys.set("h1", keyEntry("key_1"));
      await snapshot.findKey("h1");
      clock.nowMs += 1000;
      expect(snapshot.catchUp()).toBeUndefined();
      clock.nowMs += 1;
      source.keys.set("h1", { ...keyEntry("key_1"), revokedAtMs: 1 });
      source.changes.push({ sequence: 1, kind: "gatewayKey", entityId: "key_1" });
      const looked = isLookedForFirst ? snapshot.refresh() : undefined;
      const waiting = [snapshot.catchUp(), snapshot.catchUp()];
      for (const one of waiting) expect(one).toBeInstanceOf(Promise);
      await Promise.all([looked, ...waiting]);
      expect(await snapshot.findKey("h1")).toMatchObject({ revokedAtMs: 1 });
      expect(snapshot.catchUp()).toBeUndefined();
    }
  });

  it("has no call wait for a store that does not answer", async () => {
    const { source, clock, snapshot } = createSnapshot();
    const asked = Promise.withResolvers<SnapshotChange[]>();
    source.changesSince = () => asked.promise;
    const looking = snapshot.refresh();
    clock.nowMs += 5000;
    expect(snapshot.catchUp()).toBeUndefined();
    asked.reject(new Error("no answer"));
    await expect(looking).rejects.toThrow("no answer");
    expect(snapshot.catchUp()).toBeUndefined();
    clock.nowMs += 5000;
    await snapshot.catchUp();
    expect(snapshot.catchUp()).toBeUndefined();
  });

  it("loads the routing once, again after a change, and again after a failure", async () => {
    const { source, snapshot } = createSnapshot();
    await snapshot.routingOf(ENVIRONMENT);
    expect(snapshot.routingOf(ENVIRONMENT)).not.toBeInstanceOf(Promise);
    expect(source.routeLoads).toBe(1);
    source.changes.push({ sequence: 1, kind: "providerKey", entityId: "pky_1" });
    await snapshot.refresh();
    source.isDown = true;
    await expect(snapshot.routingOf(ENVIRONMENT)).rejects.toThrow("down");
    source.isDown = false;
    expect(await snapshot.routingOf(ENVIRONMENT)).toEqual({
      routes: [],
      rules: [],
      unpricedPolicy: "allow_and_alert",
    });
  });
});
