import { sql } from "kysely";
import type { ProviderKeyId } from "../../core/ids/ids.ts";
import type { ProviderKeyUseRepository } from "../alert-repositories.ts";
import type { Connections } from "./sql-engine.ts";

export class SqlProviderKeyUseRepository implements ProviderKeyUseRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async note(uses: Parameters<ProviderKeyUseRepository["note"]>[0]): Promise<void> {
    for (const { id, usedAtMs } of uses) {
      await this.#connections.write
        .insertInto("provider_key_uses")
        .values({ provider_key_id: id, last_used_at_ms: usedAtMs })
        .onConflict((conflict) =>
          conflict
            .column("provider_key_id")
            .doUpdateSet({ last_used_at_ms: usedAtMs })
            .where(sql<boolean>`provider_key_uses.last_used_at_ms < ${usedAtMs}`),
        )
        .execute();
    }
  }

  async lastUsesOf(ids: readonly ProviderKeyId[]): Promise<ReadonlyMap<ProviderKeyId, number>> {
    if (ids.length === 0) return new Map();
    const rows = await this.#connections.read
      .selectFrom("provider_key_uses")
      .selectAll()
      .where("provider_key_id", "in", ids)
      .execute();
    return new Map(rows.map((row) => [row.provider_key_id, Number(row.last_used_at_ms)]));
  }
}
