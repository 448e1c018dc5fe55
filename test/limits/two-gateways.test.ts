/** Two gateways on one SQLite file, as two processes have it; their clocks and the database's are driven. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kysely, sql } from "kysely";
import { afterEach, expect, test } from "vitest";
import type { EnvironmentId, GatewayKeyId, LimitId, ProjectId } from "../../src/core/ids/ids.ts";
import type { Limit } from "../../src/core/limits/limit.ts";
import type { LimitedCall } from "../../src/ledger/limits.ts";
import { SharedLimits } from "../../src/ledger/limits/shared-limits.ts";
import { SqlStore } from "../../src/store/sql/sql-store.ts";
import type { Tables } from "../../src/store/sql/tables.ts";
import { InlineSession } from "../../src/store/sqlite/inline-session.ts";
import { SqliteDialect } from "../../src/store/sqlite/sqlite-dialect.ts";
import { SQLITE_ENGINE } from "../../src/store/sqlite/sqlite-engine.ts";

const START_MS = 1_800_000_000_000;
const CALL: LimitedCall = {
  projectId: "prj_1" as ProjectId,
  environmentId: "env_1" as EnvironmentId,
  gatewayKeyId: "key_1" as GatewayKeyId,
  customer: "acme",
  feature: null,
  providerAccountId: null,
  tokens: 0,
};

/** SQLite as it is, but for its clock. */
class DrivenStore extends SqlStore {
  readonly #dialect: SqliteDialect;

  constructor(path: string, nowMs: () => number) {
    const options = { path, isReadOnly: false, busyTimeoutMs: 5_000, maxStatements: 50 };
    const startSession = () => InlineSession.start(options);
    const dialect = new SqliteDialect({ isReadOnly: false, startSession });
    const db = new Kysely<Tables>({ dialect });
    const engine = {
      ...SQLITE_ENGINE,
      get nowMs() {
        return sql<bigint>`${BigInt(START_MS + nowMs())}`;
      },
    };
    super({ read: db, write: db, engine });
    this.#dialect = dialect;
  }

  async close(): Promise<void> {
    await this.#dialect.close();
  }
}

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function twoGateways(limit: Limit) {
  const directory = await mkdtemp(join(tmpdir(), "keyward-limits-"));
  closing.push(() => rm(directory, { recursive: true }));
  const time = { ms: 0 };
  const path = join(directory, "keyward.db");
  const stores = [0, 1].map(() => new DrivenStore(path, () => time.ms));
  await stores[0]?.migrate();
  const gateways = stores.map((store, index) => {
    closing.push(() => store.close());
    const gateway = new SharedLimits({
      uses: store.limitUses,
      processId: `prc_${index}`,
      monotonicMs: () => time.ms + index * 12_345,
      // Time is the test's: a machine that is slow must not look like a store that is away.
      answerDeadlineMs: 2 ** 31 - 1,
      log: { info: () => undefined, warn: () => undefined },
    });
    gateway.apply([limit.id], [limit]);
    return gateway;
  });
  return { gateways, time };
}

test("a limit of 60 lets at most 60 through in any 60 seconds, and 54 a minute on average, of 600 a minute", async () => {
  const { gateways, time } = await twoGateways({
    id: "lim_1" as LimitId,
    scope: { kind: "customer", id: null },
    requestsPerMinute: 60,
    tokensPerMinute: null,
    concurrency: null,
  });
  const admittedAt: number[] = [];
  const call = async (gateway: SharedLimits): Promise<void> => {
    const decision = await gateway.admit(CALL);
    if (decision?.isAdmitted !== true) return;
    admittedAt.push(time.ms);
    decision.end();
  };
  for (; time.ms < 3 * 60_000; time.ms += 200) {
    await Promise.all(gateways.map(call));
    for (const gateway of gateways) gateway.tick();
  }
  const most = Math.max(
    ...admittedAt.map((from) => admittedAt.filter((at) => at >= from && at < from + 60_000).length),
  );
  expect(most).toBeLessThanOrEqual(60);
  expect(admittedAt.length).toBeGreaterThanOrEqual(3 * 54);
  for (const gateway of gateways) await gateway.close();
});
