import type { EnvironmentKind, UnpricedPolicy } from "../core/environments/environment.ts";
import type {
  ClientTokenId,
  EnvironmentId,
  GatewayKeyId,
  ProjectId,
  ProviderAccountId,
  ProviderKeyId,
  RoutingRuleId,
} from "../core/ids/ids.ts";
import type { SupersededSecret } from "../core/keys/superseded-secret.ts";
import type { OwnLimit } from "../core/limits/client-token-limit.ts";
import type { Picos } from "../core/money/picos.ts";
import type { IpRanges } from "../core/network/ip-ranges.ts";
import type { CallPolicy } from "../core/policy/call-policy.ts";
import type { EndpointSet } from "../core/policy/endpoint-pattern.ts";
import type { ModelPattern } from "../core/routing/model-pattern.ts";
import type { Provider } from "../providers/provider.ts";
import { dropOldest } from "./drop-oldest.ts";
import type { HeaderFields } from "./http/header-fields.ts";

/**
 * What the data plane knows of a gateway key. Never the key itself.
 */
export interface KeyEntry {
  readonly id: GatewayKeyId;
  readonly projectId: ProjectId;
  readonly environmentId: EnvironmentId;
  readonly environmentName: string;
  readonly environmentKind: EnvironmentKind;
  /** External id of the customer that the key is bound to. */
  readonly customer: string | null;
  readonly allowedModels: ReadonlySet<string> | null;
  /** From where and for what it may be used; null: anywhere, for everything. */
  readonly restrictions: KeyRestrictions | null;
  readonly isForBrowsers: boolean;
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
  /** Set where the secret that it was found by is not its own any more. */
  readonly superseded: SupersededSecret | null;
  /** Set where the call came with a client token that was made under the key. */
  readonly clientToken?: ClientTokenEntry | undefined;
}

/** What a client token has beside what it narrows of its gateway key. */
export interface ClientTokenEntry {
  readonly id: ClientTokenId;
  readonly feature: string | null;
  /** Below `/v1`. */
  readonly endpoints: ReadonlySet<string>;
  readonly ownLimit: OwnLimit | undefined;
}

/** Ready to be asked on every call. */
export interface KeyRestrictions {
  readonly allowedEndpoints: EndpointSet | null;
  readonly allowedIps: IpRanges | null;
}

/** One way to a provider with one key. `authHeaders` holds the secret: never logged, never handed to a reply. */
export interface ProviderRoute {
  readonly provider: Provider;
  /** Its share of the calls beside the other ways; 0 = only where no other is left. */
  readonly weight: number;
  /** Whose prices hold: the provider's own, or those known for the base URL of an account that names only a protocol. */
  readonly pricedAs: string;
  readonly accountId: ProviderAccountId | null;
  readonly keyId: ProviderKeyId | null;
  /** `https://api.openai.com` */
  readonly origin: string;
  /** What replaces `/v1` in the path; without trailing slash. */
  readonly basePath: string;
  /** The dated version of the provider's API that the account names. */
  readonly apiVersion: string | null;
  readonly authHeaders: readonly (readonly [string, string])[];
  /** Absent where nothing of the secret is left to learn. */
  readonly sighting?: KeySighting | undefined;
}

/** Is told what answers say of a route's secret, until it knows. */
export interface KeySighting {
  isWanted: boolean;
  answered(head: { readonly status: number; readonly headers: HeaderFields }, method: string): void;
}

/** What a routing rule of an environment does with the calls it is for. */
export interface RoutingRule {
  readonly id: RoutingRuleId;
  readonly pattern: ModelPattern;
  /** The ways it allows; empty when no usable key of the environment is among them. */
  readonly routes: readonly ProviderRoute[];
  /** The model's name as the provider is sent it; null = as the client wrote it. */
  readonly targetModel: string | null;
}

/** Where the calls of one environment may go. */
export interface EnvironmentRouting {
  /** Heaviest first, then oldest: the order holds for the calls that must find each other's files at one account. */
  readonly routes: readonly ProviderRoute[];
  /** In the order in which they are asked; the first that is for a call's model decides. */
  readonly rules: readonly RoutingRule[];
  /** What becomes of a call whose model has no price. */
  readonly unpricedPolicy: UnpricedPolicy;
  /** What is held for a call whose cost cannot be bounded; null: such a call is refused where a hard budget counts it. */
  readonly budgetCeilingPicos?: Picos | null;
  /** The rules that its calls are held to; null: none. */
  readonly policy?: CallPolicy | null;
  /** Provider keys of the environment that its policy leaves out. */
  readonly barredKeys?: number;
}

/** A change that some process made, as far as the snapshot cares. */
export interface SnapshotChange {
  readonly sequence: number;
  readonly kind: string;
  readonly entityId: string;
}

/** Where the snapshot reads from. */
export interface SnapshotSource {
  findKeyByHash(hash: string): Promise<KeyEntry | undefined>;
  findKeyById(id: GatewayKeyId): Promise<KeyEntry | undefined>;
  loadRouting(environmentId: EnvironmentId): Promise<EnvironmentRouting>;
  latestSequence(): Promise<number>;
  changesSince(sequence: number): Promise<readonly SnapshotChange[]>;
}

export interface SnapshotOptions {
  readonly maxKeys: number;
  readonly maxMisses: number;
  /** How long an unknown key is remembered as unknown. */
  readonly missTtlMs: number;
  /** A clock that never jumps: set back by a day, a miss would be remembered for a day. */
  readonly monotonicMs: () => number;
  /** What is known is too old to be relied on when no change could be looked for in so long; absent: never. */
  readonly maxStalenessMs?: number | undefined;
  /**
   * When nobody has looked for changes in so long, although somebody does all the time, the process stood still (see
   * `catchUp`); absent: nobody does.
   */
  readonly maxUnwatchedMs?: number | undefined;
}

export const DEFAULT_SNAPSHOT_LIMITS = {
  maxKeys: 100_000,
  maxMisses: 10_000,
  missTtlMs: 5_000,
} as const;

interface KnownKey {
  readonly entry: KeyEntry;
  isUsed: boolean;
}

/** Changes that leave keys and ways as they are. */
const KINDS_OF_NO_ROUTE: ReadonlySet<string> = new Set(["priceOverride", "limit", "budget"]);

/**
 * Keys and routes in memory: a bounded cache over the store, kept true by `refresh`, which applies the changes that any
 * process has made since the last one. A call waits for the store only when its key or its environment is not here yet.
 */
export class Snapshot {
  readonly #source: SnapshotSource;
  readonly #options: SnapshotOptions;
  /** By hash, and by id those that client tokens were made under. Whoever is to go first stands first. */
  readonly #keys = new Map<string, KnownKey>();
  /** A key has a hash for each of its secrets that was used. */
  readonly #hashesById = new Map<string, string[]>();
  /** Hash → when the miss is forgotten. */
  readonly #misses = new Map<string, number>();
  readonly #loadingKeys = new Map<string, Promise<KeyEntry | undefined>>();
  readonly #routing = new Map<EnvironmentId, EnvironmentRouting>();
  readonly #loadingRouting = new Map<EnvironmentId, Promise<EnvironmentRouting>>();
  #sequence = 0;
  /** Counts applied changes: a load that began before a change must not be kept after it. */
  #generation = 0;
  #refreshedMs: number;
  /** When the change log was asked last, whether or not it answered. */
  #lookedMs: number;
  /** How often it is being asked now. */
  #looking = 0;
  #catchingUp: Promise<void> | undefined;
  #onKeyChange: (id: GatewayKeyId | null) => void = () => undefined;

  constructor(source: SnapshotSource, options: SnapshotOptions) {
    this.#source = source;
    this.#options = options;
    this.#refreshedMs = options.monotonicMs();
    this.#lookedMs = this.#refreshedMs;
  }

  /**
   * Told of every gateway key that changed, once what was known of it is forgotten, and of client tokens that were revoked
   * (null); in place of whoever was told before.
   */
  watchKeys(onChange: (id: GatewayKeyId | null) => void): void {
    this.#onKeyChange = onChange;
  }

  /** Whether a key may have been revoked so long ago that it must not be used any more, and nobody here would know. */
  isStale(): boolean {
    const { maxStalenessMs, monotonicMs } = this.#options;
    return maxStalenessMs !== undefined && monotonicMs() - this.#refreshedMs > maxStalenessMs;
  }

  /** Remembers where the change log stands now. Call before the first look-up. */
  async start(): Promise<void> {
    this.#sequence = await this.#source.latestSequence();
  }

  /** The key by the SHA-256 of its text; also when it is revoked or expired. Rejects when the store does not answer. */
  findKey(hash: string): KeyEntry | undefined | Promise<KeyEntry | undefined> {
    return this.#find(hash, () => this.#source.findKeyByHash(hash));
  }

  /** The same by the key's id, with no secret at hand. */
  findKeyById(id: GatewayKeyId): KeyEntry | undefined | Promise<KeyEntry | undefined> {
    return this.#find(id, () => this.#source.findKeyById(id));
  }

  #find(
    hash: string,
    load: () => Promise<KeyEntry | undefined>,
  ): KeyEntry | undefined | Promise<KeyEntry | undefined> {
    const known = this.#keys.get(hash);
    if (known !== undefined) {
      known.isUsed = true;
      return known.entry;
    }
    const missUntilMs = this.#misses.get(hash);
    if (missUntilMs !== undefined) {
      if (missUntilMs > this.#options.monotonicMs()) return undefined;
      this.#misses.delete(hash);
    }
    return this.#loadingKeys.get(hash) ?? this.#loadKey(hash, load);
  }

  /** At once when it is in memory. Rejects when the store does not answer; the next call tries again. */
  routingOf(environmentId: EnvironmentId): EnvironmentRouting | Promise<EnvironmentRouting> {
    return (
      this.#routing.get(environmentId) ??
      this.#loadingRouting.get(environmentId) ??
      this.#loadRouting(environmentId)
    );
  }

  /**
   * After a time in which the process stood still (it was stopped, or its machine was): to be waited for, because keys may
   * have been revoked meanwhile. Undefined in nearly every case. Never rejects: how long a store may be away is `isStale`'s.
   */
  catchUp(): Promise<void> | undefined {
    if (this.#catchingUp === undefined && this.#isUnwatched()) {
      // Recovered from: whoever looks all the time finds the same, and tells of it.
      this.refresh().catch(() => undefined);
    }
    return this.#catchingUp;
  }

  /** Applies what has changed since the last time. */
  refresh(): Promise<void> {
    const isLate = this.#isUnwatched();
    const looking = this.#look();
    // It may be the first thing that runs again: the calls that come right after it wait for it as well.
    if (isLate) {
      this.#catchingUp = looking
        .catch(() => undefined)
        .finally(() => {
          this.#catchingUp = undefined;
        });
    }
    return looking;
  }

  /** Not while it is being asked: a store that does not answer is no process that stands still. */
  #isUnwatched(): boolean {
    const { maxUnwatchedMs, monotonicMs } = this.#options;
    if (maxUnwatchedMs === undefined || this.#looking > 0) return false;
    return monotonicMs() - this.#lookedMs > maxUnwatchedMs;
  }

  async #look(): Promise<void> {
    const askedMs = this.#options.monotonicMs();
    this.#looking += 1;
    try {
      const changes = await this.#source.changesSince(this.#sequence);
      for (const change of changes) this.#apply(change);
      this.#refreshedMs = askedMs;
    } finally {
      this.#looking -= 1;
      this.#lookedMs = this.#options.monotonicMs();
    }
  }

  #apply(change: SnapshotChange): void {
    this.#sequence = change.sequence;
    this.#generation += 1;
    if (change.kind === "gatewayKey") {
      for (const hash of this.#hashesById.get(change.entityId) ?? []) this.#keys.delete(hash);
      this.#hashesById.delete(change.entityId);
      this.#misses.clear();
      this.#loadingKeys.clear();
      this.#onKeyChange(change.entityId as GatewayKeyId);
    } else if (change.kind === "clientToken") {
      this.#onKeyChange(null);
    } else if (!KINDS_OF_NO_ROUTE.has(change.kind)) {
      this.#routing.clear();
      this.#loadingRouting.clear();
    }
  }

  #loadKey(hash: string, load: () => Promise<KeyEntry | undefined>): Promise<KeyEntry | undefined> {
    const generation = this.#generation;
    const loading = load()
      .then((entry) => {
        if (generation === this.#generation) this.#remember(hash, entry);
        return entry;
      })
      .finally(() => {
        if (this.#loadingKeys.get(hash) === loading) this.#loadingKeys.delete(hash);
      });
    this.#loadingKeys.set(hash, loading);
    return loading;
  }

  #loadRouting(environmentId: EnvironmentId): Promise<EnvironmentRouting> {
    const loading = this.#source
      .loadRouting(environmentId)
      .then((routing) => {
        if (this.#loadingRouting.get(environmentId) === loading) {
          this.#routing.set(environmentId, routing);
        }
        return routing;
      })
      .finally(() => {
        if (this.#loadingRouting.get(environmentId) === loading) {
          this.#loadingRouting.delete(environmentId);
        }
      });
    this.#loadingRouting.set(environmentId, loading);
    return loading;
  }

  #remember(hash: string, entry: KeyEntry | undefined): void {
    if (entry === undefined) {
      this.#misses.set(hash, this.#options.monotonicMs() + this.#options.missTtlMs);
      dropOldest(this.#misses, this.#options.maxMisses);
      return;
    }
    this.#keys.set(hash, { entry, isUsed: false });
    const hashes = this.#hashesById.get(entry.id);
    if (hashes === undefined) this.#hashesById.set(entry.id, [hash]);
    else if (!hashes.includes(hash)) hashes.push(hash);
    if (this.#keys.size > this.#options.maxKeys) this.#makeRoom(hash);
  }

  /** Forgets the first one that was not used since it was last passed over here (second chance): a look-up moves nothing. */
  #makeRoom(newest: string): void {
    for (const [hash, known] of this.#keys) {
      if (hash === newest) continue;
      if (!known.isUsed) {
        this.#forgetKey(hash, known.entry.id);
        return;
      }
      known.isUsed = false;
      this.#keys.delete(hash);
      this.#keys.set(hash, known);
    }
  }

  #forgetKey(hash: string, id: string): void {
    this.#keys.delete(hash);
    const others = (this.#hashesById.get(id) ?? []).filter((other) => other !== hash);
    if (others.length === 0) this.#hashesById.delete(id);
    else this.#hashesById.set(id, others);
  }
}
