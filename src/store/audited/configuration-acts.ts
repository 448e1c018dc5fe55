/** What is written about changes of projects, environments, accounts, provider keys, rules and customers. */
import type {
  CustomerRepository,
  EnvironmentRepository,
  ProjectRepository,
  ProviderAccountRepository,
  ProviderKeyRepository,
  RoutingRuleRepository,
  VaultKeyRepository,
} from "../store.ts";
import { about, type ActsOf, created, removal, update, type Within } from "./within.ts";

export function projectActs(within: Within): ActsOf<ProjectRepository> {
  return {
    insert: (record) =>
      within(async ({ projects }, write) => {
        await projects.insert(record);
        await write(created("project", record));
      }),
  };
}

export function environmentActs(within: Within): ActsOf<EnvironmentRepository> {
  return {
    insert: (record) =>
      within(async ({ environments }, write) => {
        await environments.insert(record);
        await write(created("environment", { ...record, environmentId: record.id }));
      }),
    update: (id, change) =>
      within(({ environments }, write) =>
        update(
          { kind: "environment", write },
          async () => {
            const record = await environments.findById(id);
            return record && { ...record, environmentId: id };
          },
          () => environments.update(id, change),
        ),
      ),
  };
}

export function providerAccountActs(within: Within): ActsOf<ProviderAccountRepository> {
  return {
    insert: (record) =>
      within(async ({ providerAccounts }, write) => {
        await providerAccounts.insert(record);
        await write(created("providerAccount", record));
      }),
  };
}

export function providerKeyActs(within: Within): ActsOf<ProviderKeyRepository> {
  return {
    insert: (record) =>
      within(async ({ providerKeys }, write) => {
        await providerKeys.insert(record);
        await write(created("providerKey", record));
      }),
    replaceSecret: (id, secret) =>
      within(({ providerKeys }, write) =>
        update(
          { kind: "providerKey", verb: "rotated", write },
          () => providerKeys.findById(id),
          () => providerKeys.replaceSecret(id, secret),
        ),
      ),
    setWeight: (id, weight) =>
      within(({ providerKeys }, write) =>
        update(
          { kind: "providerKey", write },
          () => providerKeys.findById(id),
          () => providerKeys.setWeight(id, weight),
        ),
      ),
    revoke: (id, revokedAtMs) =>
      within(({ providerKeys }, write) =>
        update(
          { kind: "providerKey", verb: "revoked", write },
          () => providerKeys.findById(id),
          () => providerKeys.revoke(id, revokedAtMs),
        ),
      ),
  };
}

export function routingRuleActs(within: Within): ActsOf<RoutingRuleRepository> {
  return {
    insert: (record) =>
      within(async ({ routingRules }, write) => {
        await routingRules.insert(record);
        await write(created("routingRule", { ...record, name: record.model }));
      }),
    update: (record) =>
      within(({ routingRules }, write) =>
        update(
          { kind: "routingRule", write },
          () => routingRules.findById(record.id),
          () => routingRules.update(record),
        ),
      ),
    remove: (id) =>
      within(({ routingRules }, write) =>
        removal(
          { kind: "routingRule", write },
          () => routingRules.findById(id),
          () => routingRules.remove(id),
        ),
      ),
  };
}

export function customerActs(within: Within): ActsOf<CustomerRepository> {
  return {
    insert: (record) =>
      within(async ({ customers }, write) => {
        await customers.insert(record);
        await write(created("customer", { ...record, name: record.name ?? record.externalId }));
      }),
  };
}

/** Data keys are made when they are needed first, and the root key at the first start: nobody does that by hand. */
export function vaultKeyActs(
  within: Within,
): ActsOf<VaultKeyRepository, "insertRootKey" | "insertDataKey"> {
  return {
    replaceRootKey: (change) =>
      within(async ({ vaultKeys }, write) => {
        const before = await vaultKeys.currentRootKey();
        const isReplaced = await vaultKeys.replaceRootKey(change);
        if (!isReplaced || before === undefined) return isReplaced;
        await write({
          ...about("rootKey", "replaced", { id: change.root.id }),
          // A root key's fingerprint is told on purpose: it says which key a backup needs.
          before: JSON.stringify({ id: before.id, fingerprint: before.fingerprint }),
          after: JSON.stringify({ id: change.root.id, fingerprint: change.root.fingerprint }),
        });
        return true;
      }),
  };
}
