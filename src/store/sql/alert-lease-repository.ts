import { sql } from "kysely";
import type { LeaseId } from "../../core/ids/ids.ts";
import type { AlertLeaseRepository } from "../alert-repositories.ts";
import type { Connections } from "./sql-engine.ts";

export class SqlAlertLeaseRepository implements AlertLeaseRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async take(
    name: string,
    { leaseId, leaseMs }: Parameters<AlertLeaseRepository["take"]>[1],
  ): Promise<boolean> {
    const { write, engine } = this.#connections;
    const untilMs = sql<bigint>`${engine.nowMs} + ${leaseMs}`;
    const { numInsertedOrUpdatedRows = 0n } = await write
      .insertInto("alert_leases")
      .values({ name, lease_id: leaseId, leased_until_ms: untilMs })
      .onConflict((conflict) =>
        conflict
          .column("name")
          .doUpdateSet({ lease_id: leaseId, leased_until_ms: untilMs })
          // One that ends far later than any can was taken before the clock stepped back. A little later is possible: who
          // waited here for another's row has looked at the clock before it.
          .where(
            sql<boolean>`alert_leases.lease_id is null or alert_leases.lease_id = ${leaseId}
              or alert_leases.leased_until_ms <= ${engine.nowMs}
              or alert_leases.leased_until_ms > ${engine.nowMs} + ${2 * leaseMs}`,
          ),
      )
      .executeTakeFirst();
    return numInsertedOrUpdatedRows > 0n;
  }

  async release(name: string, leaseId: LeaseId): Promise<boolean> {
    const { numUpdatedRows } = await this.#connections.write
      .updateTable("alert_leases")
      .set({ lease_id: null, leased_until_ms: 0 })
      .where("name", "=", name)
      .where("lease_id", "=", leaseId)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }
}
