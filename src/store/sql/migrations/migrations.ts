import type { SchemaWords } from "../sql-engine.ts";
import { firstFloor } from "./0001-first-floor.ts";
import { prices } from "./0002-prices.ts";
import { routing } from "./0003-routing.ts";
import { providerAccountFields } from "./0004-provider-account-fields.ts";
import { sentModel } from "./0005-sent-model.ts";
import { pendingUsage } from "./0006-pending-usage.ts";
import { processes } from "./0007-processes.ts";
import { budgets } from "./0008-budgets.ts";
import { limits } from "./0009-limits.ts";
import { alerts } from "./0010-alerts.ts";
import { announcedChanges } from "./0011-announced-changes.ts";
import { budgetCeilings } from "./0012-budget-ceilings.ts";
import { gatewayKeyLives } from "./0013-gateway-key-lives.ts";
import { accountViews } from "./0014-account-views.ts";
import { members } from "./0015-members.ts";
import { audit } from "./0016-audit.ts";
import { accountDemand } from "./0017-account-demand.ts";
import { rotations } from "./0018-rotations.ts";
import { environmentPolicies } from "./0019-environment-policies.ts";
import { leaks } from "./0020-leaks.ts";
import { provisions } from "./0021-provisions.ts";
import { clientTokens } from "./0022-client-tokens.ts";
import { unknownUsage } from "./0023-unknown-usage.ts";
import { budgetRefusals } from "./0024-budget-refusals.ts";
import { offeredAlertKinds } from "./0025-offered-alert-kinds.ts";
import { leakedProviderSecrets } from "./0026-leaked-provider-secrets.ts";
import { clientTokenCalls } from "./0027-client-token-calls.ts";
import { lateLooks } from "./0028-late-looks.ts";
import { stolenSecrets } from "./0029-stolen-secrets.ts";
import { lateLooksAtProvisions } from "./0030-late-looks-at-provisions.ts";
import { passwordResets } from "./0031-password-resets.ts";
import { madeWith } from "./0032-made-with.ts";
import { shortEventIndexes } from "./0033-short-event-indexes.ts";

/** One step forward. There is no way back: a released migration is never edited, the next one mends it. */
export interface Migration {
  readonly name: string;
  readonly statements: (words: SchemaWords) => readonly string[];
}

/** In order; the first one makes schema 1. */
export const MIGRATIONS: readonly Migration[] = [
  { name: "first floor", statements: firstFloor },
  { name: "prices", statements: prices },
  { name: "routing", statements: routing },
  { name: "provider account fields", statements: providerAccountFields },
  { name: "sent model", statements: sentModel },
  { name: "pending usage", statements: pendingUsage },
  { name: "processes", statements: processes },
  { name: "budgets", statements: budgets },
  { name: "limits", statements: limits },
  { name: "alerts", statements: alerts },
  { name: "announced changes", statements: announcedChanges },
  { name: "budget ceilings", statements: budgetCeilings },
  { name: "gateway key lives", statements: gatewayKeyLives },
  { name: "account views", statements: accountViews },
  { name: "members", statements: members },
  { name: "audit", statements: audit },
  { name: "account demand", statements: accountDemand },
  { name: "rotations", statements: rotations },
  { name: "environment policies", statements: environmentPolicies },
  { name: "leaks", statements: leaks },
  { name: "provisions", statements: provisions },
  { name: "client tokens", statements: clientTokens },
  { name: "unknown usage", statements: unknownUsage },
  { name: "budget refusals", statements: budgetRefusals },
  { name: "offered alert kinds", statements: offeredAlertKinds },
  { name: "leaked provider secrets", statements: leakedProviderSecrets },
  { name: "client token calls", statements: clientTokenCalls },
  { name: "late looks", statements: lateLooks },
  { name: "stolen secrets", statements: stolenSecrets },
  { name: "late looks at provisions", statements: lateLooksAtProvisions },
  { name: "password resets", statements: passwordResets },
  { name: "made with", statements: madeWith },
  { name: "short event indexes", statements: shortEventIndexes },
];
