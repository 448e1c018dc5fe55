import { sql } from "kysely";
import type {
  ClientTokenRevocation,
  ClientTokenRevocationRepository,
} from "../../exposure-repositories.ts";
import { type Connections, exclusively } from "../sql-engine.ts";

/** Twice as long as any token is good: a row of a customer that is older ends nothing any more. */
const KEPT_MS = 2 * 3_600_000;

export class SqlClientTokenRevocationRepository implements ClientTokenRevocationRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async revoke({
    kind,
    subject,
  }: Pick<ClientTokenRevocation, "kind" | "subject">): Promise<number> {
    const { engine } = this.#connections;
    return await exclusively(this.#connections, async (db) => {
      const { sequence } = await db
        .insertInto("change_log")
        .values({ kind: "clientToken", entity_id: subject })
        .returning("sequence")
        .executeTakeFirstOrThrow();
      await db
        .insertInto("client_token_revocations")
        .values({ kind, subject, sequence, revoked_at_ms: engine.nowMs })
        .onConflict((conflict) =>
          conflict.columns(["kind", "subject"]).doUpdateSet({
            sequence: (set) => set.ref("excluded.sequence"),
            revoked_at_ms: (set) => set.ref("excluded.revoked_at_ms"),
          }),
        )
        .execute();
      await db
        .deleteFrom("client_token_revocations")
        .where("kind", "=", "customer")
        .where(sql<boolean>`revoked_at_ms < ${engine.nowMs} - ${KEPT_MS}`)
        .execute();
      return Number(sequence);
    });
  }

  async listAll(): Promise<readonly ClientTokenRevocation[]> {
    const rows = await this.#connections.read
      .selectFrom("client_token_revocations")
      .selectAll()
      .execute();
    return rows.map(({ kind, subject, sequence }) => ({
      kind,
      subject,
      sequence: Number(sequence),
    }));
  }

  async currentSigningKey(environmentId: string): Promise<number> {
    const row = await this.#connections.read
      .selectFrom("client_token_revocations")
      .select("sequence")
      .where("kind", "=", "environment")
      .where("subject", "=", environmentId)
      .executeTakeFirst();
    return Number(row?.sequence ?? 0);
  }
}
