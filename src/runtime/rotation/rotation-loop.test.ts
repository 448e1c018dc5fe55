import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { adminUnderTest } from "../../../test/support/admin-under-test.ts";
import { OpenaiDouble } from "../../../test/support/openai-double.ts";
import {
  addDoubledAccount,
  driverDeps,
  sampleProvisionOf,
} from "../../../test/support/rotation-under-test.ts";
import type { ProvisionRecord } from "../../store/provision-repository.ts";
import type { ProviderAccountRecord } from "../../store/records.ts";
import { RotationLoop } from "./rotation-loop.ts";

async function waitUntil(isSo: () => Promise<void>): Promise<void> {
  await vi.waitFor(isSo, { timeout: 10_000, interval: 5 });
}

describe("what drives rotations and provisions", () => {
  const admin = adminUnderTest();
  let double: OpenaiDouble;
  let account: ProviderAccountRecord;
  let loop: RotationLoop;
  let deps: ReturnType<typeof driverDeps>;
  let errors: Readonly<Record<string, unknown>>[];
  beforeEach(async () => {
    double = new OpenaiDouble();
    const parts = { store: admin.store, vault: admin.vault, ids: admin.deps.ids };
    account = await addDoubledAccount(parts, double);
    errors = [];
    deps = driverDeps(parts, double);
    const log = {
      ...deps.log,
      error: (fields: Readonly<Record<string, unknown>>) => void errors.push(fields),
    };
    loop = new RotationLoop({
      ...deps,
      log,
      ids: parts.ids,
      leaseId: parts.ids.create("lea"),
      act: (work) => work(),
      tickMs: 5,
    });
  });
  afterEach(() => loop.stop());

  async function begin(
    environmentName: string,
    changes: Partial<ProvisionRecord> = {},
  ): Promise<ProvisionRecord> {
    const environment = await admin.store.environments.findByName(environmentName);
    if (environment === undefined) throw new Error(`there is no ${environmentName}`);
    const provision = {
      ...sampleProvisionOf(admin.deps, { environment, account }, deps.nowMs()),
      ...changes,
    };
    await admin.store.rotation.provisions.insert(provision);
    return provision;
  }

  async function stateOf({ id }: ProvisionRecord): Promise<string | undefined> {
    return (await admin.store.rotation.provisions.findById(id))?.state;
  }

  /** What was logged of one. */
  const errorsOf = ({ id }: ProvisionRecord) =>
    errors.filter(({ id: named, provision }) => named === id || provision === id);

  test("goes on with the others where one cannot be written down, and shows on that one that it waits", async () => {
    const first = await begin("development");
    loop.start();
    await waitUntil(async () => expect(await stateOf(first)).toBe("done"));
    // The database refuses what its last step writes: the key's id is taken.
    const broken = await begin("staging", { keyId: first.keyId });
    const good = await begin("production");
    await waitUntil(async () => expect(await stateOf(good)).toBe("done"));
    const shown = await admin.store.rotation.provisions.findById(broken.id);
    expect(shown).toMatchObject({ state: "add", attempts: 1, endedAtMs: null });
    expect(shown?.problem).toContain("its log says why");
    expect(shown?.nextAttemptAtMs).toBeGreaterThan(deps.nowMs());
    expect(errorsOf(broken)).toHaveLength(1);
    expect(errors).toHaveLength(1);
  });

  test("goes on with the others where one cannot even be read, and tries that one again, later each time", async () => {
    const broken = await begin("staging");
    write("update provisions set progress = '{' where id = ?", broken.id);
    const good = await begin("production");
    loop.start();
    await waitUntil(async () => expect(await stateOf(good)).toBe("done"));
    expect(errorsOf(broken)).toHaveLength(1);
    for (const [waitMs, failures] of [
      [2_000, 2],
      [2_000, 2],
      [2_000, 3],
    ] as const) {
      deps.skipTo(deps.nowMs() + waitMs);
      const next = await begin("development");
      await waitUntil(async () => expect(await stateOf(next)).toBe("done"));
      expect(errorsOf(broken)).toHaveLength(failures);
      await revoke(next);
    }
    const progress = JSON.stringify({ ...broken, outcomes: [] });
    write("update provisions set progress = ? where id = ?", progress, broken.id);
    deps.skipTo(deps.nowMs() + 60_000);
    await waitUntil(async () => expect(await stateOf(broken)).toBe("done"));
  });

  function write(statement: string, ...values: readonly string[]): void {
    const database = new DatabaseSync(admin.databasePath, { timeout: 5_000 });
    try {
      database.prepare(statement).run(...values);
    } finally {
      database.close();
    }
  }

  async function revoke({ keyId }: ProvisionRecord): Promise<void> {
    await admin.store.providerKeys.revoke(keyId, 1);
  }
});
