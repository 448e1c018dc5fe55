import { afterAll, beforeAll, describe, expect, vi } from "vitest";
import { describeAccess } from "./contract/access.contract.ts";
import { describeAccountDemand } from "./contract/account-demand.contract.ts";
import { describeAccountViews } from "./contract/account-views.contract.ts";
import { describeAlertDeliveries } from "./contract/alert-deliveries.contract.ts";
import { describeAlerts } from "./contract/alerts.contract.ts";
import { describeAudit } from "./contract/audit.contract.ts";
import { describeBudgetPostings } from "./contract/budget-postings.contract.ts";
import { describeBudgets } from "./contract/budgets.contract.ts";
import { describeConfiguration } from "./contract/configuration.contract.ts";
import { describeEvents } from "./contract/events.contract.ts";
import { describeExposure } from "./contract/exposure.contract.ts";
import { type CreateTestDatabase, shareDatabase, TIMEOUT_MS } from "./contract/fixture.contract.ts";
import { describeKeySecrets } from "./contract/key-secrets.contract.ts";
import { describeKeys } from "./contract/keys.contract.ts";
import { describeLimitUses } from "./contract/limit-uses.contract.ts";
import { describeLimits } from "./contract/limits.contract.ts";
import { describePendingUsage } from "./contract/pending-usage.contract.ts";
import { describePrices } from "./contract/prices.contract.ts";
import { describeProcesses } from "./contract/processes.contract.ts";
import { describeProvisions } from "./contract/provisions.contract.ts";
import { describeRotations } from "./contract/rotations.contract.ts";
import { describeRoutingRules } from "./contract/routing-rules.contract.ts";
import { describeSchema } from "./contract/schema.contract.ts";
import { describeSummaries } from "./contract/summaries.contract.ts";
import { describeTransactions } from "./contract/transactions.contract.ts";
import { describeVaultKeys } from "./contract/vault-keys.contract.ts";

/** The store's contract as tests: every implementation runs them all, on its real database. */
export function describeStore(name: string, createDatabase: CreateTestDatabase): void {
  describe(`the store on ${name}`, { timeout: TIMEOUT_MS }, () => {
    failOnLeaks();
    shareDatabase(createDatabase);
    describeSchema(createDatabase);
    describeConfiguration(createDatabase);
    describeKeys(createDatabase);
    describeKeySecrets(createDatabase);
    describeExposure(createDatabase);
    describeAccess(createDatabase);
    describeRoutingRules(createDatabase);
    describeRotations(createDatabase);
    describeProvisions(createDatabase);
    describeVaultKeys(createDatabase);
    describeTransactions(createDatabase);
    describeEvents(createDatabase);
    describeSummaries(createDatabase);
    describePrices(createDatabase);
    describePendingUsage(createDatabase);
    describeAlerts(createDatabase);
    describeAlertDeliveries(createDatabase);
    describeAudit(createDatabase);
    describeBudgets(createDatabase);
    describeBudgetPostings(createDatabase);
    describeProcesses(createDatabase);
    describeLimits(createDatabase);
    describeLimitUses(createDatabase);
    describeAccountDemand(createDatabase);
    describeAccountViews(createDatabase);
  });
}

/** A thread or socket that is still there after every store was closed fails the suite. */
function failOnLeaks(): void {
  let before: readonly string[] = [];
  beforeAll(() => {
    before = openResources();
  });
  afterAll(async () => {
    await vi.waitFor(() => expect(openResources()).toEqual(before), { timeout: 10_000 });
  }, TIMEOUT_MS);
}

function openResources(): readonly string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => /Worker|MessagePort|TCP|Socket/.test(name))
    .toSorted();
}
