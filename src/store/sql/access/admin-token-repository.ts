import type { Selectable } from "kysely";
import type { AdminTokenId, MemberId } from "../../../core/ids/ids.ts";
import type { AdminTokenRecord } from "../../access-records.ts";
import type { AdminTokenRepository } from "../../access-repositories.ts";
import type { Page, PageRequest } from "../../paging.ts";
import { toNullableNumber } from "../nullable-number.ts";
import { newestFirst } from "../page.ts";
import type { Connections } from "../sql-engine.ts";
import { refusingTaken } from "../taken.ts";
import type { AdminTokenTable } from "./access-tables.ts";
import { formatList, parseList } from "./json-list.ts";

export class SqlAdminTokenRepository implements AdminTokenRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: AdminTokenRecord): Promise<void> {
    const { write, engine } = this.#connections;
    const values = {
      id: record.id,
      name: record.name,
      hash: record.hash,
      preview: record.preview,
      role: record.role,
      permissions: formatList(record.permissions),
      environments: formatList(record.environments),
      member_id: record.memberId,
      created_by: record.createdBy,
      made_with: record.madeWith,
      created_at_ms: record.createdAtMs,
      expires_at_ms: record.expiresAtMs,
      last_used_at_ms: record.lastUsedAtMs,
      revoked_at_ms: record.revokedAtMs,
    };
    await refusingTaken(engine, () => write.insertInto("admin_tokens").values(values).execute());
  }

  async findById(id: AdminTokenId): Promise<AdminTokenRecord | undefined> {
    const row = await this.#rows().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async findActiveByHash(hash: string): Promise<AdminTokenRecord | undefined> {
    const row = await this.#rows()
      .where("hash", "=", hash)
      .where("revoked_at_ms", "is", null)
      .executeTakeFirst();
    return row && toRecord(row);
  }

  async list(
    page: PageRequest,
    { memberId }: { readonly memberId?: MemberId | undefined } = {},
  ): Promise<Page<AdminTokenRecord>> {
    const rows = this.#rows();
    const query = memberId === undefined ? rows : rows.where("member_id", "=", memberId);
    return await newestFirst("adminTokens", query, page, toRecord);
  }

  async listMadeWith(id: AdminTokenId): Promise<readonly AdminTokenRecord[]> {
    const rows = await this.#rows().where("made_with", "=", id).orderBy("id").execute();
    return rows.map(toRecord);
  }

  async touch(id: AdminTokenId, atMs: number): Promise<void> {
    await this.#connections.write
      .updateTable("admin_tokens")
      .set({ last_used_at_ms: atMs })
      .where("id", "=", id)
      .execute();
  }

  async revoke(id: AdminTokenId, revokedAtMs: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#connections.write
      .updateTable("admin_tokens")
      .set({ revoked_at_ms: revokedAtMs })
      .where("id", "=", id)
      .where("revoked_at_ms", "is", null)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  async revokeAll(revokedAtMs: number): Promise<number> {
    const { numUpdatedRows } = await this.#connections.write
      .updateTable("admin_tokens")
      .set({ revoked_at_ms: revokedAtMs })
      .where("revoked_at_ms", "is", null)
      .executeTakeFirst();
    return Number(numUpdatedRows);
  }

  #rows() {
    return this.#connections.read.selectFrom("admin_tokens").selectAll();
  }
}

function toRecord(row: Selectable<AdminTokenTable>): AdminTokenRecord {
  return {
    id: row.id,
    name: row.name,
    hash: row.hash,
    preview: row.preview,
    role: row.role,
    permissions: parseList(row.permissions),
    environments: parseList(row.environments),
    memberId: row.member_id,
    createdBy: row.created_by,
    madeWith: row.made_with,
    createdAtMs: Number(row.created_at_ms),
    expiresAtMs: toNullableNumber(row.expires_at_ms),
    lastUsedAtMs: toNullableNumber(row.last_used_at_ms),
    revokedAtMs: toNullableNumber(row.revoked_at_ms),
  };
}
