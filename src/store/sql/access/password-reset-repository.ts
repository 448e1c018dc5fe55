import type { Selectable } from "kysely";
import type { PasswordResetId } from "../../../core/ids/ids.ts";
import type { PasswordResetRecord } from "../../access-records.ts";
import type { OpenPasswordResets, PasswordResetRepository } from "../../access-repositories.ts";
import { toNullableNumber } from "../nullable-number.ts";
import type { Connections } from "../sql-engine.ts";
import type { PasswordResetTable } from "./access-tables.ts";
import { madeWith } from "./made-with.ts";

export class SqlPasswordResetRepository implements PasswordResetRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: PasswordResetRecord): Promise<void> {
    await this.#connections.write
      .insertInto("password_resets")
      .values({
        id: record.id,
        hash: record.hash,
        member_id: record.memberId,
        created_by: record.createdBy,
        made_with: record.madeWith,
        created_at_ms: record.createdAtMs,
        expires_at_ms: record.expiresAtMs,
        used_at_ms: record.usedAtMs,
        revoked_at_ms: record.revokedAtMs,
      })
      .execute();
  }

  async findById(id: PasswordResetId): Promise<PasswordResetRecord | undefined> {
    const row = await this.#rows().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async findByHash(hash: string): Promise<PasswordResetRecord | undefined> {
    const row = await this.#rows().where("hash", "=", hash).executeTakeFirst();
    return row && toRecord(row);
  }

  async use(id: PasswordResetId, atMs: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#open()
      .set({ used_at_ms: atMs })
      .where("id", "=", id)
      .where("expires_at_ms", ">", BigInt(atMs))
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  async revokeOpen(
    which: OpenPasswordResets,
    atMs: number,
  ): Promise<readonly PasswordResetRecord[]> {
    let open = this.#open().set({ revoked_at_ms: atMs });
    if (which === "all") {
      // Each of them.
    } else if ("madeWith" in which) {
      open = open.where(madeWith(which.madeWith));
    } else if ("memberId" in which) {
      open = open.where("member_id", "=", which.memberId);
    } else {
      open = open.where("created_by", "=", which.createdBy);
    }
    return (await open.returningAll().execute()).map(toRecord);
  }

  #rows() {
    return this.#connections.read.selectFrom("password_resets").selectAll();
  }

  #open() {
    return this.#connections.write
      .updateTable("password_resets")
      .where("used_at_ms", "is", null)
      .where("revoked_at_ms", "is", null);
  }
}

function toRecord(row: Selectable<PasswordResetTable>): PasswordResetRecord {
  return {
    id: row.id,
    hash: row.hash,
    memberId: row.member_id,
    createdBy: row.created_by,
    madeWith: row.made_with,
    createdAtMs: Number(row.created_at_ms),
    expiresAtMs: Number(row.expires_at_ms),
    usedAtMs: toNullableNumber(row.used_at_ms),
    revokedAtMs: toNullableNumber(row.revoked_at_ms),
  };
}
