/** A process to be killed: rotates the root key again and again. Says on stdout when it has begun and after each. */
import { randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import { IdFactory } from "../../src/core/ids/ids.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { rotateRootKey } from "../../src/vault/local/rotate-root-key.ts";

const [keyFile = "", database = ""] = process.argv.slice(2);
const clock = { nowMs: Date.now };
const ids = new IdFactory({ ...clock, randomBytes });
const { vaultKeys } = new SqliteStore({ path: database });

for (;;) {
  writeSync(1, "rotating\n");
  await rotateRootKey({ rootKey: { kind: "file", path: keyFile }, keys: vaultKeys, ids, clock });
}
