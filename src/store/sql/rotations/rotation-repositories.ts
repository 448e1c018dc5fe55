import type { ProviderKeyId } from "../../../core/ids/ids.ts";
import type { ProvisionRepository } from "../../provision-repository.ts";
import type { KeyUser } from "../../rotation-records.ts";
import type {
  AdminKeyRepository,
  KeyFactsRepository,
  RotationRepositories,
  RotationRepository,
} from "../../rotation-repositories.ts";
import type { Connections } from "../sql-engine.ts";
import { SqlAdminKeyRepository } from "./admin-key-repository.ts";
import { SqlKeyFactsRepository } from "./key-facts-repository.ts";
import { SqlProvisionRepository } from "./provision-repository.ts";
import { SqlRotationRepository } from "./rotation-repository.ts";

export class SqlRotationRepositories implements RotationRepositories {
  readonly #connections: Connections;
  readonly rotations: RotationRepository;
  readonly keyFacts: KeyFactsRepository;
  readonly adminKeys: AdminKeyRepository;
  readonly provisions: ProvisionRepository;

  constructor(connections: Connections) {
    this.#connections = connections;
    this.rotations = new SqlRotationRepository(connections);
    this.keyFacts = new SqlKeyFactsRepository(connections);
    this.adminKeys = new SqlAdminKeyRepository(connections);
    this.provisions = new SqlProvisionRepository(connections);
  }

  async usersOf(keyId: ProviderKeyId, sinceMs: number, limit: number): Promise<readonly KeyUser[]> {
    const rows = await this.#connections.read
      .selectFrom("usage_events")
      .select(["gateway_key_id", "customer"])
      .select((select) => [
        select.fn.countAll<bigint>().as("calls"),
        select.fn.min("started_at_ms").as("first_ms"),
        select.fn.max("started_at_ms").as("last_ms"),
      ])
      .where("provider_key_id", "=", keyId)
      .where("started_at_ms", ">=", BigInt(sinceMs))
      .groupBy(["gateway_key_id", "customer"])
      .orderBy("last_ms", "desc")
      .orderBy("gateway_key_id")
      .limit(limit)
      .execute();
    return rows.map((row) => ({
      gatewayKeyId: row.gateway_key_id,
      customer: row.customer,
      calls: Number(row.calls),
      firstUsedAtMs: Number(row.first_ms),
      lastUsedAtMs: Number(row.last_ms),
    }));
  }
}
