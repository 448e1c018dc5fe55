import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MemoryVaultKeys } from "../../../test/support/memory-vault-keys.ts";
import { IdFactory } from "../../core/ids/ids.ts";
import type { DataKeyRecord, SealedSecret } from "../../core/keys/vault-records.ts";
import { SealBrokenError, type SecretContext, WrongRootKeyError } from "../vault.ts";
import { type LocalVault, openLocalVault } from "./local-vault.ts";
import { RootKeyFileError } from "./root-key-file.ts";
import type { RootKeySource } from "./root-key-source.ts";
import { createRootKey, fingerprintRootKey, formatRootKey, parseRootKey } from "./root-key.ts";

const ids = new IdFactory({ nowMs: Date.now, randomBytes });
const clock = { nowMs: Date.now };
const secret = ["sk", "proj", "x".repeat(40)].join("-");
const context: SecretContext = { environmentId: "env_a", secretId: "pky_a", version: 1 };

let keys: MemoryVaultKeys;
let given: RootKeySource;

beforeEach(() => {
  keys = new MemoryVaultKeys();
  given = { kind: "given", key: createRootKey() };
});

async function open(rootKey: RootKeySource = given): Promise<LocalVault> {
  return await openLocalVault({ rootKey, keys, ids, clock });
}

/** With one byte of `bytes` changed. */
function altered(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
}

describe("LocalVault", () => {
  test("gives back what it sealed, also to another process that opens it later", async () => {
    const vault = await open();
    const sealed = await vault.seal(secret, context);
    expect(await vault.open(sealed, context)).toBe(secret);
    expect(await (await open()).open(sealed, context)).toBe(secret);
    expect(Buffer.from(sealed.ciphertext).toString("latin1")).not.toContain("xxxx");
  });

  test("gives back any well-formed text and refuses what would come back changed", async () => {
    const vault = await open();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme" }), async (text) => {
        expect(await vault.open(await vault.seal(text, context), context)).toBe(text);
      }),
    );
    await expect(vault.seal("\uD800", context)).rejects.toThrow(TypeError);
  });

  test("never seals twice under one nonce", async () => {
    const vault = await open();
    const nonces = new Set<string>();
    for (let i = 0; i < 500; i += 1) {
      nonces.add(Buffer.from((await vault.seal(secret, context)).nonce).toString("hex"));
    }
    expect(nonces.size).toBe(500);
  });

  test.each([
    ["another environment", { environmentId: "env_b" }],
    ["another id", { secretId: "pky_b" }],
    ["another version", { version: 2 }],
  ])("does not open a row that was moved to %s", async (_, change) => {
    const vault = await open();
    const sealed = await vault.seal(secret, context);
    const other = { ...context, ...change };
    await vault.seal(secret, other);
    await expect(vault.open(sealed, other)).rejects.toThrow(SealBrokenError);
  });

  test("does not open a row that names another environment's data key", async () => {
    const vault = await open();
    const sealed = await vault.seal(secret, context);
    const other = await vault.seal(secret, { ...context, environmentId: "env_b" });
    const moved = { ...sealed, dataKeyId: other.dataKeyId };
    await expect(vault.open(moved, context)).rejects.toThrow(SealBrokenError);
    await expect(vault.open(moved, { ...context, environmentId: "env_b" })).rejects.toThrow(
      SealBrokenError,
    );
  });

  test("does not open a row with any byte changed, cut off or added, and names no secret then", async () => {
    const vault = await open();
    const sealed = await vault.seal(secret, context);
    const broken: SealedSecret[] = [
      { ...sealed, nonce: sealed.nonce.subarray(1) },
      { ...sealed, ciphertext: sealed.ciphertext.subarray(0, 5) },
      { ...sealed, ciphertext: sealed.ciphertext.subarray(0, -1) },
      { ...sealed, ciphertext: Buffer.concat([sealed.ciphertext, Buffer.of(0)]) },
      { ...sealed, dataKeyId: ids.create("dek") },
    ];
    for (let at = 0; at < sealed.nonce.length; at += 1) {
      broken.push({ ...sealed, nonce: altered(sealed.nonce, at) });
    }
    for (let at = 0; at < sealed.ciphertext.length; at += 1) {
      broken.push({ ...sealed, ciphertext: altered(sealed.ciphertext, at) });
    }
    for (const one of broken) {
      const error: unknown = await vault.open(one, context).catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(SealBrokenError);
      expect(String(error)).not.toContain("xxxx");
    }
  });

  test("does not open with a data key whose row was altered or moved to another scope", async () => {
    const sealed = await (await open()).seal(secret, context);
    const [record] = keys.dataKeys.values();
    if (record === undefined) throw new Error("no data key");
    const changes: Partial<DataKeyRecord>[] = [
      { wrapped: altered(record.wrapped, 3) },
      { nonce: altered(record.nonce, 3) },
      { scope: "env_b" },
    ];
    for (const change of changes) {
      keys.dataKeys.set(record.id, { ...record, ...change });
      await expect((await open()).open(sealed, context)).rejects.toThrow(SealBrokenError);
    }
  });

  test("has one data key for each environment, also when two processes seal first at once", async () => {
    const vaults = await Promise.all([open(), open(), open()]);
    const sealed = await Promise.all(vaults.map((vault) => vault.seal(secret, context)));
    expect(keys.roots.size).toBe(1);
    expect(keys.dataKeys.size).toBe(1);
    for (const one of sealed) expect(await vaults[0]?.open(one, context)).toBe(secret);
    await vaults[0]?.seal(secret, { ...context, environmentId: "env_b" });
    expect(keys.dataKeys.size).toBe(2);
  });

  test("gives equal fingerprints to equal secrets alone, the same in every process", async () => {
    const [one, two] = await Promise.all([open(), open()]);
    const [first, second] = await Promise.all([one.fingerprint(secret), two.fingerprint(secret)]);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(second).toBe(first);
    expect(await one.fingerprint(`${secret}y`)).not.toBe(first);
    keys = new MemoryVaultKeys();
    expect(await (await open()).fingerprint(secret)).not.toBe(first);
  });

  test("keeps its fingerprint key for fingerprints", async () => {
    const vault = await open();
    await expect(vault.seal(secret, { ...context, environmentId: "fingerprints" })).rejects.toThrow(
      RangeError,
    );
  });

  test("refuses another root key, names the one it needs and changes nothing", async () => {
    const vault = await open();
    const other = createRootKey();
    const error: unknown = await open({ kind: "given", key: other }).catch(
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(WrongRootKeyError);
    expect(error).toMatchObject({
      needed: vault.rootKey,
      foundFingerprint: fingerprintRootKey(other),
    });
    expect(String(error)).toContain(vault.rootKey.id);
    expect(String(error)).toContain(vault.rootKey.fingerprint);
    expect(String(error)).not.toContain(formatRootKey(other));
    expect(keys.roots.size).toBe(1);
  });

  test("lets one of two first processes with different root keys win and tells the other", async () => {
    const outcomes = await Promise.allSettled([
      open(),
      open({ kind: "given", key: createRootKey() }),
    ]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(outcomes.find(({ status }) => status === "rejected")).toMatchObject({
      reason: expect.any(WrongRootKeyError) as unknown,
    });
  });
});

describe("a root key", () => {
  test("is read from base64, base64url and hex", () => {
    const key = createRootKey();
    const bytes = key.export();
    for (const encoding of ["base64", "base64url", "hex"] as const) {
      const read = parseRootKey(`  ${bytes.toString(encoding)}\n`);
      expect(read?.export().equals(bytes)).toBe(true);
    }
  });

  test.each([
    "",
    "short",
    "0".repeat(63),
    "g".repeat(64),
    `${"A".repeat(42)}B`,
    `${"A".repeat(43)}==`,
    "A".repeat(44),
    "A".repeat(86),
    `${"A".repeat(20)} ${"A".repeat(22)}`,
  ])("is refused in any other spelling: %j", (text) => {
    expect(parseRootKey(text)).toBeUndefined();
  });
});

describe("a root key file", () => {
  let directory: string;
  let path: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "vault-"));
    path = join(directory, "root.key");
  });
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  test("is made on first use for its owner alone, and used from then on", async () => {
    const sealed = await (await open({ kind: "file", path })).seal(secret, context);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(["root.key"]);
    expect(await (await open({ kind: "file", path })).open(sealed, context)).toBe(secret);
    const key = parseRootKey(await readFile(path, "utf8"));
    if (key === undefined) throw new Error("not readable as a given key");
    expect(await (await open({ kind: "given", key })).open(sealed, context)).toBe(secret);
  });

  test("is one file when several processes start at once", async () => {
    const vaults = await Promise.all(Array.from({ length: 5 }, () => open({ kind: "file", path })));
    expect(new Set(vaults.map((vault) => vault.rootKey.fingerprint)).size).toBe(1);
    expect(await readdir(directory)).toEqual(["root.key"]);
  });

  test.each([0o640, 0o604, 0o660, 0o644])(
    "is refused with mode %o, with the remedy",
    async (mode) => {
      await open({ kind: "file", path });
      await chmod(path, mode);
      const error: unknown = await open({ kind: "file", path }).catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(RootKeyFileError);
      expect(String(error)).toContain(`chmod 600 ${path}`);
      await chmod(path, 0o600);
      await open({ kind: "file", path });
    },
  );

  test("is not made anew for a vault that has one: the error names the key that is missing", async () => {
    const vault = await open({ kind: "file", path });
    await rm(path);
    const error: unknown = await open({ kind: "file", path }).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(RootKeyFileError);
    expect(String(error)).toContain(vault.rootKey.id);
    expect(String(error)).toContain(vault.rootKey.fingerprint);
    expect(await readdir(directory)).toEqual([]);
  });

  test("is refused when it holds something else, without showing what", async () => {
    await writeFile(path, "a secret of another kind", { mode: 0o600 });
    const error: unknown = await open({ kind: "file", path }).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(RootKeyFileError);
    expect(String(error)).not.toContain("another kind");
    expect(keys.roots.size).toBe(0);
  });
});
