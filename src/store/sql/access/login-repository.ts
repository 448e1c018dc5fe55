import type { MemberId } from "../../../core/ids/ids.ts";
import type { LoginAttemptRecord } from "../../access-records.ts";
import type { LoginRepository } from "../../access-repositories.ts";
import type { Connections } from "../sql-engine.ts";

export class SqlLoginRepository implements LoginRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async findAttempts(subjects: readonly string[]): Promise<readonly LoginAttemptRecord[]> {
    if (subjects.length === 0) return [];
    const rows = await this.#connections.read
      .selectFrom("login_attempts")
      .selectAll()
      .where("subject", "in", [...subjects])
      .execute();
    return rows.map((row) => ({
      subject: row.subject,
      failures: Number(row.failures),
      lastAtMs: Number(row.last_at_ms),
      blockedUntilMs: Number(row.blocked_until_ms),
    }));
  }

  async putAttempt({ subject, failures, lastAtMs, blockedUntilMs }: LoginAttemptRecord) {
    const values = { failures, last_at_ms: lastAtMs, blocked_until_ms: blockedUntilMs };
    await this.#connections.write
      .insertInto("login_attempts")
      .values({ subject, ...values })
      .onConflict((conflict) => conflict.column("subject").doUpdateSet(values))
      .execute();
  }

  async removeAttempts(subjects: readonly string[]): Promise<void> {
    if (subjects.length === 0) return;
    await this.#connections.write
      .deleteFrom("login_attempts")
      .where("subject", "in", [...subjects])
      .execute();
  }

  async removeAttemptsBefore(atMs: number): Promise<number> {
    const { numDeletedRows } = await this.#connections.write
      .deleteFrom("login_attempts")
      .where("last_at_ms", "<", BigInt(atMs))
      .executeTakeFirst();
    return Number(numDeletedRows);
  }

  async insertDevice({
    hash,
    memberId,
    expiresAtMs,
  }: Parameters<LoginRepository["insertDevice"]>[0]) {
    await this.#connections.write
      .insertInto("known_devices")
      .values({ hash, member_id: memberId, expires_at_ms: expiresAtMs })
      .execute();
  }

  async hasDevice(hash: string, memberId: MemberId, nowMs: number): Promise<boolean> {
    const row = await this.#connections.read
      .selectFrom("known_devices")
      .select("hash")
      .where("hash", "=", hash)
      .where("member_id", "=", memberId)
      .where("expires_at_ms", ">", BigInt(nowMs))
      .executeTakeFirst();
    return row !== undefined;
  }

  async removeDevicesOf(memberId: MemberId): Promise<void> {
    await this.#connections.write
      .deleteFrom("known_devices")
      .where("member_id", "=", memberId)
      .execute();
  }

  async removeDevicesBefore(expiredMs: number): Promise<number> {
    const { numDeletedRows } = await this.#connections.write
      .deleteFrom("known_devices")
      .where("expires_at_ms", "<", BigInt(expiredMs))
      .executeTakeFirst();
    return Number(numDeletedRows);
  }
}
