import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { IdFactory } from "../../src/core/ids/ids.ts";
import type { SealedSecret } from "../../src/core/keys/vault-records.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { type LocalVault, openLocalVault } from "../../src/vault/local/local-vault.ts";
import { createRootKey, formatRootKey } from "../../src/vault/local/root-key.ts";
import { rotateRootKey } from "../../src/vault/local/rotate-root-key.ts";
import { WrongRootKeyError } from "../../src/vault/vault.ts";

const PROGRAM = fileURLToPath(new URL("./rotating-process.ts", import.meta.url));
const ENVIRONMENTS = ["env_a", "env_b", "env_c"];
const clock = { nowMs: Date.now };
const ids = new IdFactory({ ...clock, randomBytes });

let directory: string;
let keyFile: string;
let database: string;
let store: SqliteStore;
let children: ChildProcess[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "vault-"));
  keyFile = join(directory, "root.key");
  database = join(directory, "store.db");
  store = new SqliteStore({ path: database });
  await store.migrate();
  children = [];
});
afterEach(async () => {
  await Promise.all(children.map(kill));
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

async function open(): Promise<LocalVault> {
  const rootKey = { kind: "file", path: keyFile } as const;
  return await openLocalVault({ rootKey, keys: store.vaultKeys, ids, clock });
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

const contextIn = (environmentId: string) => ({ environmentId, secretId: "pky_a", version: 1 });
const secretOf = (environmentId: string) => `a secret of ${environmentId}`;

async function sealAll(vault: LocalVault): Promise<Map<string, SealedSecret>> {
  const sealed = new Map<string, SealedSecret>();
  for (const environment of ENVIRONMENTS) {
    sealed.set(environment, await vault.seal(secretOf(environment), contextIn(environment)));
  }
  return sealed;
}

async function expectReadable(sealed: ReadonlyMap<string, SealedSecret>): Promise<void> {
  const vault = await open();
  for (const [environment, one] of sealed) {
    expect(await vault.open(one, contextIn(environment))).toBe(secretOf(environment));
  }
}

test("the vault seals, fingerprints, rotates and refuses a wrong key on the real store", async () => {
  const vaults = await Promise.all([open(), open(), open()]);
  const sealed = await sealAll(vaults[0] ?? expect.fail());
  await expectReadable(sealed);
  const fingerprints = await Promise.all(vaults.map((vault) => vault.fingerprint("the same")));
  expect(new Set(fingerprints).size).toBe(1);
  const parts = { keys: store.vaultKeys, ids, clock };
  const { current, dataKeys } = await rotateRootKey({
    ...parts,
    rootKey: { kind: "file", path: keyFile },
  });
  expect(dataKeys).toBe(ENVIRONMENTS.length + 1);
  await expectReadable(sealed);
  expect(await (await open()).fingerprint("the same")).toBe(fingerprints[0]);
  const wrong = { kind: "given", key: createRootKey() } as const;
  const error: unknown = await openLocalVault({ ...parts, rootKey: wrong }).catch(
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(WrongRootKeyError);
  expect(error).toMatchObject({ needed: current });
});

test("the database holds no secret and no key in clear", async () => {
  const vault = await open();
  await sealAll(vault);
  await vault.fingerprint("a secret of nobody");
  const rootKey = (await readFile(keyFile, "utf8")).trim();
  await store.close();
  for (const name of await readdir(directory)) {
    if (!name.startsWith("store.db")) continue;
    const bytes = await readFile(join(directory, name));
    expect(bytes.includes("a secret of")).toBe(false);
    expect(bytes.includes(rootKey)).toBe(false);
    expect(bytes.includes(Buffer.from(rootKey, "base64"))).toBe(false);
  }
  expect(formatRootKey(createRootKey())).toHaveLength(rootKey.length);
});

test("every secret stays readable when rotating processes are killed at any moment, one or two at a time", async () => {
  const sealed = await sealAll(await open());
  for (let round = 0; round < 8; round += 1) {
    // One of two loses and says so on stderr, which is as it should be.
    const some = Array.from({ length: 1 + (round % 2) }, () =>
      spawn(process.execPath, [PROGRAM, keyFile, database], {
        stdio: ["ignore", "pipe", "ignore"],
      }),
    );
    children.push(...some);
    await Promise.all(some.map((child) => once(child.stdout ?? expect.fail(), "data")));
    for (const child of some) {
      for (let wait = randomInt(60); wait > 0; wait -= 1) await store.ping();
      await kill(child);
    }
    await expectReadable(sealed);
  }
  // Rotated after the last crash, nothing of the dead ones is left.
  await rotateRootKey({
    rootKey: { kind: "file", path: keyFile },
    keys: store.vaultKeys,
    ids,
    clock,
  });
  await expectReadable(sealed);
  const left = (await readdir(directory)).filter((name) => name.startsWith("root.key"));
  expect(left).toEqual(["root.key"]);
}, 120_000);
