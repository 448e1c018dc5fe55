import {
  accountKindOf,
  isOwnershipConflict,
  type Ownership,
  UNKNOWN_OWNERSHIP,
} from "../core/keys/ownership.ts";
import { resolvePolicy, type RuleMode } from "../core/policy/environment-policy.ts";
import { rotationDueMs } from "../core/rotation/rotation-schedule.ts";
import { listAll } from "../store/list-all.ts";
import type {
  EnvironmentRecord,
  ProviderAccountRecord,
  ProviderKeyRecord,
} from "../store/records.ts";
import type { KeyFactsRecord } from "../store/rotation-records.ts";
import type { Store } from "../store/store.ts";

type ReadStore = Pick<Store, "environments" | "providerAccounts" | "providerKeys" | "rotation">;

/** A provider key in use, with what is known of it. */
interface StandingKey {
  readonly key: ProviderKeyRecord;
  readonly environment: EnvironmentRecord;
  readonly account: ProviderAccountRecord;
  readonly facts: KeyFactsRecord | undefined;
}

/** What was declared of an account, against what was found of the keys in use. */
export interface AccountOwnership {
  readonly account: ProviderAccountRecord;
  readonly found: Readonly<Record<"organization" | "personal" | "unknown", number>>;
  readonly conflicts: readonly OwnershipConflict[];
}

export interface OwnershipConflict {
  readonly key: ProviderKeyRecord;
  readonly environment: EnvironmentRecord;
  readonly ownership: Ownership;
  /** What the environment's policy has to say to a person's key. */
  readonly mode: RuleMode;
}

/** A key that is to be rotated by itself soon, or should have been. */
export interface DueRotation {
  readonly key: ProviderKeyRecord;
  readonly environment: EnvironmentRecord;
  readonly account: ProviderAccountRecord;
  readonly dueMs: number;
  /** The provider is asked for the new secret; else a person has to bring it. */
  readonly isAutomatic: boolean;
}

const DAY_MS = 86_400_000;
/** A rotation is told of so long before. */
export const SOON_DAYS = 7;

export async function findKeyStanding(
  store: ReadStore,
  nowMs: number,
): Promise<{
  readonly accounts: readonly AccountOwnership[];
  readonly due: readonly DueRotation[];
}> {
  const keys = await listStanding(store);
  const byAccount = Map.groupBy(keys, ({ account }) => account.id);
  return {
    accounts: [...byAccount.values()].map(ownershipOfAccount),
    due: await findDue(store, keys, nowMs),
  };
}

async function listStanding(store: ReadStore): Promise<readonly StandingKey[]> {
  const environments = await listAll((page) => store.environments.list(page));
  const accounts = new Map<string, ProviderAccountRecord | undefined>();
  const standing: StandingKey[] = [];
  for (const environment of environments) {
    const keys = await store.providerKeys.listActive(environment.id);
    const facts = await store.rotation.keyFacts.ofAll(keys.map(({ id }) => id));
    for (const key of keys) {
      const { id, accountId } = key;
      if (!accounts.has(accountId)) {
        accounts.set(accountId, await store.providerAccounts.findById(accountId));
      }
      const account = accounts.get(accountId);
      if (account) standing.push({ key, environment, account, facts: facts.get(id) });
    }
  }
  return standing;
}

function ownershipOfAccount(keys: readonly StandingKey[]): AccountOwnership {
  const [first] = keys;
  if (first === undefined) throw new Error("an account without keys is none of them");
  const { account } = first;
  const found = { organization: 0, personal: 0, unknown: 0 };
  const conflicts: OwnershipConflict[] = [];
  for (const { key, environment, facts } of keys) {
    const ownership = facts?.ownership ?? UNKNOWN_OWNERSHIP;
    found[accountKindOf(ownership.owner) ?? "unknown"] += 1;
    if (!isOwnershipConflict(account.kind, ownership)) continue;
    const mode = resolvePolicy(environment.kind, environment.policy).modes.no_personal_keys;
    conflicts.push({ key, environment, ownership, mode });
  }
  return { account, found, conflicts };
}

async function findDue(
  store: ReadStore,
  keys: readonly StandingKey[],
  nowMs: number,
): Promise<readonly DueRotation[]> {
  const due: DueRotation[] = [];
  for (const { key, environment, account, facts } of keys) {
    const everyDays = facts?.rotateEveryDays ?? null;
    if (everyDays === null) continue;
    const dueMs = rotationDueMs(facts?.secretSinceMs ?? key.createdAtMs, everyDays);
    if (dueMs - nowMs > SOON_DAYS * DAY_MS) continue;
    // One that goes on is no warning any more.
    if ((await store.rotation.rotations.findOpenOf(key.id)) !== undefined) continue;
    const isAutomatic = (await store.rotation.adminKeys.find(account.id)) !== undefined;
    due.push({ key, environment, account, dueMs, isAutomatic });
  }
  return due.toSorted((one, other) => one.dueMs - other.dueMs);
}
