import type { Selectable } from "kysely";
import type { InvitationId } from "../../../core/ids/ids.ts";
import type { InvitationRecord } from "../../access-records.ts";
import type { InvitationRepository, OpenInvitations } from "../../access-repositories.ts";
import type { Page, PageRequest } from "../../paging.ts";
import { toNullableNumber } from "../nullable-number.ts";
import { newestFirst } from "../page.ts";
import type { Connections } from "../sql-engine.ts";
import type { InvitationTable } from "./access-tables.ts";
import { formatList, parseList } from "./json-list.ts";
import { madeWith } from "./made-with.ts";

export class SqlInvitationRepository implements InvitationRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: InvitationRecord): Promise<void> {
    await this.#connections.write
      .insertInto("invitations")
      .values({
        id: record.id,
        hash: record.hash,
        email: record.email,
        role: record.role,
        environments: formatList(record.environments),
        created_by: record.createdBy,
        made_with: record.madeWith,
        created_at_ms: record.createdAtMs,
        expires_at_ms: record.expiresAtMs,
        accepted_at_ms: record.acceptedAtMs,
        revoked_at_ms: record.revokedAtMs,
      })
      .execute();
  }

  async findById(id: InvitationId): Promise<InvitationRecord | undefined> {
    const row = await this.#rows().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async findByHash(hash: string): Promise<InvitationRecord | undefined> {
    const row = await this.#rows().where("hash", "=", hash).executeTakeFirst();
    return row && toRecord(row);
  }

  async findOpenByEmail(email: string, atMs: number): Promise<InvitationRecord | undefined> {
    const row = await this.#openAt(atMs).where("email", "=", email).executeTakeFirst();
    return row && toRecord(row);
  }

  async findOpenOwnerLink(atMs: number): Promise<InvitationRecord | undefined> {
    const row = await this.#openAt(atMs)
      .where("email", "is", null)
      .where("role", "=", "owner")
      .executeTakeFirst();
    return row && toRecord(row);
  }

  async list(page: PageRequest): Promise<Page<InvitationRecord>> {
    return await newestFirst("invitations", this.#openRows(), page, toRecord);
  }

  async accept(id: InvitationId, atMs: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#open()
      .set({ accepted_at_ms: atMs })
      .where("id", "=", id)
      .where("expires_at_ms", ">", BigInt(atMs))
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  async revoke(id: InvitationId, atMs: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#open()
      .set({ revoked_at_ms: atMs })
      .where("id", "=", id)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  async revokeOpen(which: OpenInvitations, atMs: number): Promise<readonly InvitationRecord[]> {
    const open = this.#open().set({ revoked_at_ms: atMs });
    let meant = open;
    if ("madeWith" in which) {
      meant = open.where(madeWith(which.madeWith));
    } else if ("createdBy" in which) {
      meant = open.where("created_by", "=", which.createdBy);
    } else {
      meant = open.where("email", which.email === null ? "is" : "=", which.email);
    }
    return (await meant.returningAll().execute()).map(toRecord);
  }

  #rows() {
    return this.#connections.read.selectFrom("invitations").selectAll();
  }

  #openRows() {
    return this.#rows().where("accepted_at_ms", "is", null).where("revoked_at_ms", "is", null);
  }

  #openAt(atMs: number) {
    return this.#openRows()
      .where("expires_at_ms", ">", BigInt(atMs))
      .orderBy("created_at_ms", "desc")
      .orderBy("id", "desc")
      .limit(1);
  }

  #open() {
    return this.#connections.write
      .updateTable("invitations")
      .where("accepted_at_ms", "is", null)
      .where("revoked_at_ms", "is", null);
  }
}

function toRecord(row: Selectable<InvitationTable>): InvitationRecord {
  return {
    id: row.id,
    hash: row.hash,
    email: row.email,
    role: row.role,
    environments: parseList(row.environments),
    createdBy: row.created_by,
    madeWith: row.made_with,
    createdAtMs: Number(row.created_at_ms),
    expiresAtMs: Number(row.expires_at_ms),
    acceptedAtMs: toNullableNumber(row.accepted_at_ms),
    revokedAtMs: toNullableNumber(row.revoked_at_ms),
  };
}
