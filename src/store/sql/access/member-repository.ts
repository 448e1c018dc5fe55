import type { Selectable } from "kysely";
import type { MemberId } from "../../../core/ids/ids.ts";
import type { MemberRecord } from "../../access-records.ts";
import type { MemberChange, MemberRepository } from "../../access-repositories.ts";
import type { Page, PageRequest } from "../../paging.ts";
import { toNullableNumber } from "../nullable-number.ts";
import { newestFirst } from "../page.ts";
import type { Connections } from "../sql-engine.ts";
import { refusingTaken } from "../taken.ts";
import type { MemberTable } from "./access-tables.ts";
import { formatList, parseList } from "./json-list.ts";

export class SqlMemberRepository implements MemberRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: MemberRecord): Promise<void> {
    const { write, engine } = this.#connections;
    const values = {
      id: record.id,
      email: record.email,
      created_at_ms: record.createdAtMs,
      removed_at_ms: record.removedAtMs,
      name: record.name,
      role: record.role,
      environments: formatList(record.environments),
      password_hash: record.passwordHash,
      subject: record.subject,
      last_login_at_ms: record.lastLoginAtMs,
    };
    await refusingTaken(engine, () => write.insertInto("members").values(values).execute());
  }

  async findById(id: MemberId): Promise<MemberRecord | undefined> {
    const row = await this.#rows().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async findByEmail(email: string): Promise<MemberRecord | undefined> {
    const row = await this.#present().where("email", "=", email).executeTakeFirst();
    return row && toRecord(row);
  }

  async findBySubject(subject: string): Promise<MemberRecord | undefined> {
    const row = await this.#present().where("subject", "=", subject).executeTakeFirst();
    return row && toRecord(row);
  }

  async list(page: PageRequest): Promise<Page<MemberRecord>> {
    return await newestFirst("members", this.#present(), page, toRecord);
  }

  async countOwners(): Promise<number> {
    const { count } = await this.#connections.read
      .selectFrom("members")
      .select((of) => of.fn.countAll<bigint>().as("count"))
      .where("role", "=", "owner")
      .where("removed_at_ms", "is", null)
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  async update(id: MemberId, change: MemberChange): Promise<boolean> {
    const { write, engine } = this.#connections;
    const { name, role, environments, passwordHash, subject, lastLoginAtMs } = change;
    const values = {
      ...(name !== undefined && { name }),
      ...(role !== undefined && { role }),
      ...(environments !== undefined && { environments: formatList(environments) }),
      ...(passwordHash !== undefined && { password_hash: passwordHash }),
      ...(subject !== undefined && { subject }),
      ...(lastLoginAtMs !== undefined && { last_login_at_ms: lastLoginAtMs }),
    };
    // A change of nothing still says whether the member is there.
    if (Object.keys(values).length === 0) {
      const row = await this.#present().where("id", "=", id).executeTakeFirst();
      return row !== undefined;
    }
    const { numUpdatedRows } = await refusingTaken(engine, () =>
      write
        .updateTable("members")
        .set(values)
        .where("id", "=", id)
        .where("removed_at_ms", "is", null)
        .executeTakeFirst(),
    );
    return numUpdatedRows > 0n;
  }

  async remove(id: MemberId, atMs: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#connections.write
      .updateTable("members")
      .set({ removed_at_ms: atMs, password_hash: null })
      .where("id", "=", id)
      .where("removed_at_ms", "is", null)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  #rows() {
    return this.#connections.read.selectFrom("members").selectAll();
  }

  #present() {
    return this.#rows().where("removed_at_ms", "is", null);
  }
}

function toRecord(row: Selectable<MemberTable>): MemberRecord {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    role: row.role,
    environments: parseList(row.environments),
    passwordHash: row.password_hash,
    subject: row.subject,
    createdAtMs: Number(row.created_at_ms),
    lastLoginAtMs: toNullableNumber(row.last_login_at_ms),
    removedAtMs: toNullableNumber(row.removed_at_ms),
  };
}
