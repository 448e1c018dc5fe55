import { sql } from "kysely";
import type { AccessRepositories, AdminTokenRepository } from "../access-repositories.ts";
import type { AccountDemandRepository } from "../account-demand-repository.ts";
import type { AccountViewRepository } from "../account-view-repository.ts";
import type { AlertRepositories } from "../alert-repositories.ts";
import type { AuditRepository } from "../audit-repository.ts";
import type { BudgetRepository } from "../budget-repository.ts";
import type { ExposureRepositories } from "../exposure-repositories.ts";
import type { GatewayKeyRepository } from "../gateway-key-repository.ts";
import type { RotationRepositories } from "../rotation-repositories.ts";
import type {
  ChangeRepository,
  ChangeWatch,
  CorrectionRepository,
  CustomerRepository,
  EnvironmentRepository,
  LimitRepository,
  LimitUseRepository,
  PendingUsageRepository,
  PriceOverrideRepository,
  ProcessRepository,
  ProjectRepository,
  ProviderAccountRepository,
  ProviderKeyRepository,
  RoutingRuleRepository,
  Repositories,
  Store,
  UsageRepository,
  VaultKeyRepository,
} from "../store.ts";
import { SqlAccessRepositories } from "./access/access-repositories.ts";
import { SqlAdminTokenRepository } from "./access/admin-token-repository.ts";
import { SqlAccountDemandRepository } from "./account-demand-repository.ts";
import { SqlAccountViewRepository } from "./account-view-repository.ts";
import { SqlAlertRepositories } from "./alert-repositories.ts";
import { SqlAuditRepository } from "./audit-repository.ts";
import { SqlBudgetRepository } from "./budgets/budget-repository.ts";
import { RuleCache } from "./budgets/rule-cache.ts";
import { SqlChangeRepository } from "./change-repository.ts";
import { SqlCorrectionRepository } from "./correction-repository.ts";
import { SqlCustomerRepository } from "./customer-repository.ts";
import { SqlEnvironmentRepository } from "./environment-repository.ts";
import { SqlExposureRepositories } from "./exposure/exposure-repositories.ts";
import { SqlGatewayKeyRepository } from "./gateway-key-repository.ts";
import { KeyUseNotes } from "./key-use-notes.ts";
import { SqlLimitRepository } from "./limit-repository.ts";
import { SqlLimitUseRepository } from "./limit-use-repository.ts";
import { currentSchema, migrate, SUPPORTED_SCHEMA } from "./migrate.ts";
import { SqlPendingUsageRepository } from "./pending-usage-repository.ts";
import { SqlPriceOverrideRepository } from "./price-override-repository.ts";
import { SqlProcessRepository } from "./process-repository.ts";
import { SqlProjectRepository } from "./project-repository.ts";
import { SqlProviderAccountRepository } from "./provider-account-repository.ts";
import { SqlProviderKeyRepository } from "./provider-key-repository.ts";
import { SqlRotationRepositories } from "./rotations/rotation-repositories.ts";
import { SqlRoutingRuleRepository } from "./routing-rule-repository.ts";
import { type Connections, exclusively } from "./sql-engine.ts";
import { SqlUsageRepository } from "./usage-repository.ts";
import { SqlVaultKeyRepository } from "./vault-key-repository.ts";

/** The repositories on one pair of connections, or within one transaction. */
class SqlRepositories implements Repositories {
  readonly projects: ProjectRepository;
  readonly environments: EnvironmentRepository;
  readonly providerAccounts: ProviderAccountRepository;
  readonly providerKeys: ProviderKeyRepository;
  readonly routingRules: RoutingRuleRepository;
  readonly gatewayKeys: GatewayKeyRepository;
  readonly customers: CustomerRepository;
  readonly adminTokens: AdminTokenRepository;
  readonly access: AccessRepositories;
  readonly vaultKeys: VaultKeyRepository;
  readonly priceOverrides: PriceOverrideRepository;
  readonly usage: UsageRepository;
  readonly corrections: CorrectionRepository;
  readonly pendingUsage: PendingUsageRepository;
  readonly budgets: BudgetRepository;
  readonly alerts: AlertRepositories;
  readonly audit: AuditRepository;
  readonly rotation: RotationRepositories;
  readonly exposure: ExposureRepositories;
  readonly changes: ChangeRepository;
  readonly processes: ProcessRepository;
  readonly limits: LimitRepository;
  readonly limitUses: LimitUseRepository;
  readonly accountViews: AccountViewRepository;
  readonly accountDemand: AccountDemandRepository;

  constructor(connections: Connections) {
    this.projects = new SqlProjectRepository(connections);
    this.environments = new SqlEnvironmentRepository(connections);
    this.providerAccounts = new SqlProviderAccountRepository(connections);
    this.providerKeys = new SqlProviderKeyRepository(connections);
    this.routingRules = new SqlRoutingRuleRepository(connections);
    this.gatewayKeys = new SqlGatewayKeyRepository(connections);
    this.customers = new SqlCustomerRepository(connections);
    this.adminTokens = new SqlAdminTokenRepository(connections);
    this.access = new SqlAccessRepositories(connections);
    this.vaultKeys = new SqlVaultKeyRepository(connections);
    this.priceOverrides = new SqlPriceOverrideRepository(connections);
    this.corrections = new SqlCorrectionRepository(connections);
    this.pendingUsage = new SqlPendingUsageRepository(connections);
    this.budgets = new SqlBudgetRepository(connections);
    this.alerts = new SqlAlertRepositories(connections);
    this.audit = new SqlAuditRepository(connections);
    this.rotation = new SqlRotationRepositories(connections);
    this.exposure = new SqlExposureRepositories(connections);
    this.usage = new SqlUsageRepository(connections);
    this.changes = new SqlChangeRepository(connections);
    this.processes = new SqlProcessRepository(connections);
    this.limits = new SqlLimitRepository(connections);
    this.limitUses = new SqlLimitUseRepository(connections);
    this.accountViews = new SqlAccountViewRepository(connections);
    this.accountDemand = new SqlAccountDemandRepository(connections);
  }
}

/** On a database that announces nothing. */
const DEAF_WATCH: ChangeWatch = { isListening: () => false, close: () => Promise.resolve() };

/** Everything of a store that is alike on every SQL database. The subclass brings the connections, and ends them. */
export abstract class SqlStore extends SqlRepositories implements Store {
  readonly kind: string;
  readonly supportedSchema = SUPPORTED_SCHEMA;
  protected readonly connections: Connections;

  protected constructor(given: Omit<Connections, "budgetRules" | "keyUses">) {
    const connections = { ...given, budgetRules: new RuleCache(), keyUses: new KeyUseNotes() };
    super(connections);
    this.kind = connections.engine.kind;
    this.connections = connections;
  }

  async currentSchema(): Promise<number> {
    return await currentSchema(this.connections.read, this.connections.engine);
  }

  async migrate(): Promise<void> {
    await migrate(this.connections.write, this.connections.engine);
  }

  async transaction<Result>(
    work: (repositories: Repositories) => Promise<Result>,
  ): Promise<Result> {
    return await exclusively(this.connections, (db) =>
      work(new SqlRepositories({ ...this.connections, read: db, write: db })),
    );
  }

  watchChanges(_onChange: () => void): ChangeWatch {
    return DEAF_WATCH;
  }

  async ping(): Promise<void> {
    await sql`select 1`.execute(this.connections.read);
  }

  abstract close(): Promise<void>;
}
