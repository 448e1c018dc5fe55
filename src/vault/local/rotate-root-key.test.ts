import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MemoryVaultKeys } from "../../../test/support/memory-vault-keys.ts";
import { IdFactory } from "../../core/ids/ids.ts";
import type { RootKeyReplacement, SealedSecret } from "../../core/keys/vault-records.ts";
import { SealBrokenError, WrongRootKeyError } from "../vault.ts";
import { type LocalVault, openLocalVault } from "./local-vault.ts";
import type { RootKeySource } from "./root-key-source.ts";
import { createRootKey, fingerprintRootKey, formatRootKey, parseRootKey } from "./root-key.ts";
import { RootKeyRotatedError, rotateRootKey } from "./rotate-root-key.ts";

const ids = new IdFactory({ nowMs: Date.now, randomBytes });
const clock = { nowMs: Date.now };
const ENVIRONMENTS = ["env_a", "env_b", "env_c"];

/** A store that dies around the one transaction of a rotation. */
class DyingVaultKeys extends MemoryVaultKeys {
  death: "none" | "before-commit" | "after-commit" = "none";
  /** Runs once, between the rotation's look at the data keys and its transaction. */
  meanwhile: (() => Promise<unknown>) | undefined;

  override async replaceRootKey(change: RootKeyReplacement): Promise<boolean> {
    const { meanwhile } = this;
    this.meanwhile = undefined;
    await meanwhile?.();
    if (this.death === "before-commit") throw new Error("killed");
    const isReplaced = await super.replaceRootKey(change);
    if (this.death === "after-commit") throw new Error("killed");
    return isReplaced;
  }
}

let directory: string;
let path: string;
let source: RootKeySource;
let keys: DyingVaultKeys;
let sealed: Map<string, SealedSecret>;
let fingerprint: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "rotation-"));
  path = join(directory, "root.key");
  source = { kind: "file", path };
  keys = new DyingVaultKeys();
  const vault = await open();
  sealed = new Map();
  for (const environment of ENVIRONMENTS) sealed.set(environment, await sealIn(vault, environment));
  fingerprint = await vault.fingerprint("the same");
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function open(rootKey: RootKeySource = source): Promise<LocalVault> {
  return await openLocalVault({ rootKey, keys, ids, clock });
}

async function rotate(rootKey: RootKeySource = source) {
  return await rotateRootKey({ rootKey, keys, ids, clock });
}

const contextIn = (environmentId: string) => ({ environmentId, secretId: "pky_a", version: 1 });

async function sealIn(vault: LocalVault, environment: string): Promise<SealedSecret> {
  return await vault.seal(`secret of ${environment}`, contextIn(environment));
}

async function expectAllReadable(vault: LocalVault): Promise<void> {
  for (const [environment, one] of sealed) {
    expect(await vault.open(one, contextIn(environment))).toBe(`secret of ${environment}`);
  }
  expect(await vault.fingerprint("the same")).toBe(fingerprint);
}

async function keyInFile(): Promise<string> {
  const key = parseRootKey(await readFile(path, "utf8"));
  return key === undefined ? "none" : fingerprintRootKey(key);
}

describe("rotateRootKey", () => {
  test("wraps every data key under the new root key and leaves every secret readable", async () => {
    const before = await keyInFile();
    const { previous, current, dataKeys } = await rotate();
    expect(previous.fingerprint).toBe(before);
    expect(current.fingerprint).toBe(await keyInFile());
    expect(current.fingerprint).not.toBe(before);
    expect(dataKeys).toBe(ENVIRONMENTS.length + 1);
    expect(await readdir(directory)).toEqual(["root.key"]);
    expect([...keys.dataKeys.values()].every(({ rootKeyId }) => rootKeyId === current.id)).toBe(
      true,
    );
    expect([...keys.roots.values()].filter(({ isCurrent }) => isCurrent)).toHaveLength(1);
    await expectAllReadable(await open());
  });

  test("can be repeated", async () => {
    for (let round = 0; round < 5; round += 1) await rotate();
    await expectAllReadable(await open());
    expect(keys.roots.size).toBe(6);
  });

  test("makes the old root key worthless", async () => {
    const old = parseRootKey(await readFile(path, "utf8"));
    if (old === undefined) throw new Error("no key");
    const { current } = await rotate();
    const error: unknown = await open({ kind: "given", key: old }).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(WrongRootKeyError);
    expect(error).toMatchObject({ needed: current });
  });

  test.each(["before-commit", "after-commit"] as const)(
    "leaves a vault that opens when it is killed %s",
    async (death) => {
      const before = await keyInFile();
      keys.death = death;
      await expect(rotate()).rejects.toThrow("killed");
      keys.death = "none";
      expect(await keyInFile()).toBe(before);
      const vault = await open();
      await expectAllReadable(vault);
      expect(vault.rootKey.fingerprint).toBe(await keyInFile());
      expect(vault.rootKey.fingerprint === before).toBe(death === "before-commit");
      // A rotation afterwards clears up what the dead one left.
      await rotate();
      await expectAllReadable(await open());
      expect(await readdir(directory)).toEqual(["root.key"]);
    },
  );

  test("leaves a vault that opens when it is killed while it writes the next key's file", async () => {
    const before = await keyInFile();
    await writeFile(`${path}.next.${before}.${"0".repeat(16)}`, "", { mode: 0o600 });
    await expectAllReadable(await open());
    await rotate();
    await expectAllReadable(await open());
    expect(await readdir(directory)).toEqual(["root.key"]);
  });

  test("has its waste cleared away by whoever opens next, also when it was killed after it was done", async () => {
    const before = await keyInFile();
    await rotate();
    await writeFile(`${path}.next.${before}.${"0".repeat(16)}`, "", { mode: 0o600 });
    await expectAllReadable(await open());
    expect(await readdir(directory)).toEqual(["root.key"]);
  });

  test("is finished by any of several processes that open after it was killed", async () => {
    keys.death = "after-commit";
    await expect(rotate()).rejects.toThrow("killed");
    keys.death = "none";
    for (const vault of await Promise.all([open(), open(), open()])) await expectAllReadable(vault);
    expect(await readdir(directory)).toEqual(["root.key"]);
  });

  test("does not let an opening process delete the key of a rotation that is under way", async () => {
    keys.meanwhile = open;
    await rotate();
    await expectAllReadable(await open());
  });

  test("takes along a data key that is made while it runs", async () => {
    const running = await open();
    keys.meanwhile = async () => {
      sealed.set("env_new", await sealIn(running, "env_new"));
    };
    const { dataKeys } = await rotate();
    expect(dataKeys).toBe(ENVIRONMENTS.length + 2);
    await expectAllReadable(await open());
  });

  test("lets one of two rotations at once win; the other changes nothing", async () => {
    keys.meanwhile = rotate;
    await expect(rotate()).rejects.toThrow(RootKeyRotatedError);
    await expectAllReadable(await open());
    expect(await readdir(directory)).toEqual(["root.key"]);
    const outcomes = await Promise.allSettled([rotate(), rotate(), rotate()]);
    expect(outcomes.some(({ status }) => status === "fulfilled")).toBe(true);
    await expectAllReadable(await open());
    expect(await readdir(directory)).toEqual(["root.key"]);
  });

  test("stops at a data key that does not open, with the old key still current", async () => {
    const [record] = keys.dataKeys.values();
    if (record === undefined) throw new Error("no data key");
    keys.dataKeys.set(record.id, { ...record, wrapped: new Uint8Array(record.wrapped.length) });
    const before = await keyInFile();
    await expect(rotate()).rejects.toThrow(SealBrokenError);
    expect((await open()).rootKey.fingerprint).toBe(before);
    expect(await readdir(directory)).toEqual(["root.key"]);
  });
});

describe("a process that runs while another rotates", () => {
  test("goes on with the data keys it holds and loads the new root key for others", async () => {
    const running = await open();
    await running.open(sealed.get("env_a") ?? expect.fail(), contextIn("env_a"));
    await rotate();
    await expectAllReadable(running);
    expect(running.rootKey.fingerprint).toBe(await keyInFile());
    await rotate();
    sealed.set("env_late", await sealIn(running, "env_late"));
    await expectAllReadable(await open());
  });

  test("finishes a rotation that was killed when it needs the new key", async () => {
    const running = await open();
    keys.death = "after-commit";
    await expect(rotate()).rejects.toThrow("killed");
    await expectAllReadable(running);
    expect(await readdir(directory)).toEqual(["root.key"]);
  });

  test("says which key it needs when its own was handed in", async () => {
    const old = parseRootKey(await readFile(path, "utf8"));
    if (old === undefined) throw new Error("no key");
    const running = await open({ kind: "given", key: old });
    await running.open(sealed.get("env_a") ?? expect.fail(), contextIn("env_a"));
    const { current } = await rotate();
    expect(await running.open(sealed.get("env_a") ?? expect.fail(), contextIn("env_a"))).toBe(
      "secret of env_a",
    );
    const error: unknown = await running
      .open(sealed.get("env_b") ?? expect.fail(), contextIn("env_b"))
      .catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(WrongRootKeyError);
    expect(error).toMatchObject({ needed: current });
    expect(String(error)).not.toContain(formatRootKey(old));
  });
});

describe("rotation of a root key that was handed in", () => {
  test("moves to the key the caller gives and asks for one", async () => {
    keys = new DyingVaultKeys();
    const given: RootKeySource = { kind: "given", key: createRootKey() };
    const one = await sealIn(await open(given), "env_a");
    await expect(rotate(given)).rejects.toThrow(TypeError);
    const next = createRootKey();
    await rotateRootKey({ rootKey: given, keys, ids, clock, newRootKey: next });
    const vault = await open({ kind: "given", key: next });
    expect(await vault.open(one, contextIn("env_a"))).toBe("secret of env_a");
    await expect(open(given)).rejects.toThrow(WrongRootKeyError);
  });

  test("refuses the old key as the new one", async () => {
    keys = new DyingVaultKeys();
    const key = createRootKey();
    await expect(
      rotateRootKey({ rootKey: { kind: "given", key }, keys, ids, clock, newRootKey: key }),
    ).rejects.toThrow(RangeError);
  });
});

describe("the next key's file", () => {
  test("is readable by its owner alone", async () => {
    const modes: number[] = [];
    keys.meanwhile = async () => {
      for (const name of await readdir(directory)) {
        modes.push((await stat(join(directory, name))).mode & 0o777);
      }
    };
    await rotate();
    expect(modes).toEqual([0o600, 0o600]);
  });
});
