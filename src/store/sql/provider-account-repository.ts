import type { Selectable } from "kysely";
import type { ProviderAccountId } from "../../core/ids/ids.ts";
import type { ProviderAccountRecord } from "../records.ts";
import type { Page, PageRequest, ProviderAccountRepository } from "../store.ts";
import { recordChange } from "./change-repository.ts";
import { newestFirst } from "./page.ts";
import { type Connections, exclusively } from "./sql-engine.ts";
import type { ProviderAccountTable } from "./tables.ts";
import { refusingTaken } from "./taken.ts";

export class SqlProviderAccountRepository implements ProviderAccountRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: ProviderAccountRecord): Promise<void> {
    const values = {
      id: record.id,
      name: record.name,
      provider: record.provider,
      kind: record.kind,
      base_url: record.baseUrl,
      organization_id: record.organizationId,
      provider_project_id: record.providerProjectId,
      api_version: record.apiVersion,
      priced_as: record.pricedAs,
      created_at_ms: record.createdAtMs,
    };
    await exclusively(this.#connections, async (db) => {
      await refusingTaken(this.#connections.engine, () =>
        db.insertInto("provider_accounts").values(values).execute(),
      );
      await recordChange(db, "providerAccount", record.id);
    });
  }

  async findById(id: ProviderAccountId): Promise<ProviderAccountRecord | undefined> {
    const row = await this.#rows().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async findByName(name: string): Promise<ProviderAccountRecord | undefined> {
    const row = await this.#rows().where("name", "=", name).executeTakeFirst();
    return row && toRecord(row);
  }

  async list(page: PageRequest): Promise<Page<ProviderAccountRecord>> {
    return await newestFirst("providerAccounts", this.#rows(), page, toRecord);
  }

  #rows() {
    return this.#connections.read.selectFrom("provider_accounts").selectAll();
  }
}

function toRecord(row: Selectable<ProviderAccountTable>): ProviderAccountRecord {
  return {
    id: row.id,
    name: row.name,
    provider: row.provider,
    kind: row.kind,
    baseUrl: row.base_url,
    organizationId: row.organization_id,
    providerProjectId: row.provider_project_id,
    apiVersion: row.api_version,
    pricedAs: row.priced_as,
    createdAtMs: Number(row.created_at_ms),
  };
}
