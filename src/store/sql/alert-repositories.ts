import type {
  AlertChannelRepository,
  AlertDeliveryRepository,
  AlertHistory,
  AlertLeaseRepository,
  AlertMuteRepository,
  AlertRepositories,
  AlertRuleRepository,
  ProviderKeyUseRepository,
} from "../alert-repositories.ts";
import { SqlAlertChannelRepository } from "./alert-channel-repository.ts";
import { SqlAlertDeliveryRepository } from "./alert-delivery-repository.ts";
import { SqlAlertHistory } from "./alert-history.ts";
import { SqlAlertLeaseRepository } from "./alert-lease-repository.ts";
import { SqlAlertMuteRepository } from "./alert-mute-repository.ts";
import { SqlAlertRuleRepository } from "./alert-rule-repository.ts";
import { SqlProviderKeyUseRepository } from "./provider-key-use-repository.ts";
import type { Connections } from "./sql-engine.ts";

export class SqlAlertRepositories implements AlertRepositories {
  readonly channels: AlertChannelRepository;
  readonly rules: AlertRuleRepository;
  readonly history: AlertHistory;
  readonly deliveries: AlertDeliveryRepository;
  readonly mutes: AlertMuteRepository;
  readonly leases: AlertLeaseRepository;
  readonly providerKeyUses: ProviderKeyUseRepository;

  constructor(connections: Connections) {
    this.channels = new SqlAlertChannelRepository(connections);
    this.rules = new SqlAlertRuleRepository(connections);
    this.history = new SqlAlertHistory(connections);
    this.deliveries = new SqlAlertDeliveryRepository(connections);
    this.mutes = new SqlAlertMuteRepository(connections);
    this.leases = new SqlAlertLeaseRepository(connections);
    this.providerKeyUses = new SqlProviderKeyUseRepository(connections);
  }
}
