import type { Selectable } from "kysely";
import type { ProjectId } from "../../core/ids/ids.ts";
import type { ProjectRecord } from "../records.ts";
import type { Page, PageRequest, ProjectRepository } from "../store.ts";
import { newestFirst } from "./page.ts";
import type { Connections } from "./sql-engine.ts";
import type { ProjectTable } from "./tables.ts";
import { refusingTaken } from "./taken.ts";

export class SqlProjectRepository implements ProjectRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: ProjectRecord): Promise<void> {
    const { write, engine } = this.#connections;
    const values = { id: record.id, name: record.name, created_at_ms: record.createdAtMs };
    await refusingTaken(engine, () => write.insertInto("projects").values(values).execute());
  }

  async findById(id: ProjectId): Promise<ProjectRecord | undefined> {
    const row = await this.#rows().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async findByName(name: string): Promise<ProjectRecord | undefined> {
    const row = await this.#rows().where("name", "=", name).executeTakeFirst();
    return row && toRecord(row);
  }

  async list(page: PageRequest): Promise<Page<ProjectRecord>> {
    return await newestFirst("projects", this.#rows(), page, toRecord);
  }

  #rows() {
    return this.#connections.read.selectFrom("projects").selectAll();
  }
}

function toRecord(row: Selectable<ProjectTable>): ProjectRecord {
  return { id: row.id, name: row.name, createdAtMs: Number(row.created_at_ms) };
}
