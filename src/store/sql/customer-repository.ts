import type { Selectable } from "kysely";
import type { CustomerId } from "../../core/ids/ids.ts";
import type { CustomerRecord } from "../records.ts";
import type { CustomerRepository, Page, PageRequest } from "../store.ts";
import { recordChange } from "./change-repository.ts";
import { newestFirst } from "./page.ts";
import { type Connections, exclusively } from "./sql-engine.ts";
import type { CustomerTable } from "./tables.ts";
import { refusingTaken } from "./taken.ts";

export class SqlCustomerRepository implements CustomerRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: CustomerRecord): Promise<void> {
    const values = {
      id: record.id,
      external_id: record.externalId,
      name: record.name,
      created_at_ms: record.createdAtMs,
    };
    await exclusively(this.#connections, async (db) => {
      await refusingTaken(this.#connections.engine, () =>
        db.insertInto("customers").values(values).execute(),
      );
      await recordChange(db, "customer", record.id);
    });
  }

  async findById(id: CustomerId): Promise<CustomerRecord | undefined> {
    const row = await this.#rows().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async findByExternalId(externalId: string): Promise<CustomerRecord | undefined> {
    const row = await this.#rows().where("external_id", "=", externalId).executeTakeFirst();
    return row && toRecord(row);
  }

  async list(page: PageRequest): Promise<Page<CustomerRecord>> {
    return await newestFirst("customers", this.#rows(), page, toRecord);
  }

  #rows() {
    return this.#connections.read.selectFrom("customers").selectAll();
  }
}

function toRecord(row: Selectable<CustomerTable>): CustomerRecord {
  return {
    id: row.id,
    externalId: row.external_id,
    name: row.name,
    createdAtMs: Number(row.created_at_ms),
  };
}
