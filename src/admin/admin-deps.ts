/**
 * The control plane: one Hono app over the contracts. Here is what it is handed by the composition root, each piece
 * narrowed to what is used. Nothing in this folder opens a file, a socket or a database, reads `process.env`, or
 * knows an implementation.
 */
import type { AlertMessage, SendOutcome } from "../alerts/alert-message.ts";
import type { Principal } from "../core/access/principal.ts";
import type { SessionLimits } from "../core/access/session.ts";
import type { ErrorCode } from "../core/errors/codes.ts";
import type {
  ClientTokenId,
  GatewayKeyId,
  IdFactory,
  ProcessId,
  RequestId,
} from "../core/ids/ids.ts";
import type { AccountUse } from "../core/limits/account-demand.ts";
import type { AllowedHosts } from "../core/network/allowed-hosts.ts";
import type { OverridablePriceBook } from "../core/pricing/overridable-price-book.ts";
import type { ProviderKeyHealth } from "../core/routing/provider-key-health.ts";
import type { LedgerStatus } from "../ledger/ledger.ts";
import type { ProviderRegistry } from "../providers/provider.ts";
import type { AlertChannelRecord } from "../store/alert-records.ts";
import type { AuditedStore } from "../store/audited-store.ts";
import type { ProviderKeyRecord } from "../store/records.ts";
import type { CallFeed } from "../telemetry/call-feed.ts";
import type { Vault } from "../vault/vault.ts";
import type { Authenticator } from "./authenticator.ts";
import type { IdentityProvider } from "./identity-provider.ts";
import type { KeyDesk } from "./key-desk.ts";
import type { PasswordHasher } from "./password-hasher.ts";
import type { StoreWatch } from "./store-watch.ts";

interface ServerInfo {
  /** Keyward's version, as in package.json. */
  readonly version: string;
  /** When the server process began to serve; null when no server runs (the CLI in process). */
  readonly startedAtMs: number | null;
  /** Base URLs for people, `http://127.0.0.1:4141`; empty when no server runs. */
  readonly urls: readonly string[];
  /** Null when no server runs. */
  readonly processId: ProcessId | null;
}

/** A fault of Keyward's own, for the log: it never reaches the caller. */
export interface AdminFault {
  readonly requestId: RequestId;
  readonly method: string;
  /** Without the query: values of a query may be somebody's names. */
  readonly path: string;
  readonly code: ErrorCode;
  readonly error: unknown;
}

/** A refusal that is worth a line of the log. */
export type AdminRefusal = Omit<AdminFault, "error"> & { readonly reason?: string };

export interface AdminDeps {
  /** Every change is written into the audit log. */
  readonly store: Omit<AuditedStore, "migrate" | "close">;
  readonly vault: Pick<Vault, "seal" | "fingerprint" | "hasher" | "rootKey">;
  readonly providers: ProviderRegistry;
  /** Hosts in private networks that a provider account may name. */
  readonly allowedHosts: AllowedHosts;
  readonly priceBook: OverridablePriceBook;
  readonly keyDesk: KeyDesk;
  /** Sends a message through a channel, now. */
  readonly sendAlert: (
    channel: AlertChannelRecord,
    message: AlertMessage,
    signal: AbortSignal,
  ) => Promise<SendOutcome>;
  readonly ids: Pick<IdFactory, "create">;
  readonly clock: { nowMs(): number };
  readonly randomBytes: (count: number) => Uint8Array;
  readonly authenticator: Authenticator;
  /** Absent: the usual ones. */
  readonly sessionLimits?: SessionLimits | undefined;
  /** How people reach the server, without a slash at its end; absent: as the request did. */
  readonly publicUrl?: string | undefined;
  /** Absent: members log in with passwords alone. */
  readonly identityProvider?: IdentityProvider | undefined;
  readonly passwords: Pick<PasswordHasher, "hash" | "verify">;
  /** Who sent a request, behind the proxies that are trusted; absent: the other end of the connection. */
  readonly clientAddressOf?: ((caller: AdminCaller, headers: Headers) => string | null) | undefined;
  readonly serverInfo: ServerInfo;
  /** Absent where nobody watches the store (the CLI in process): a request waits for as long as the store takes. */
  readonly storeWatch?: StoreWatch | undefined;
  /** Absent where no ledger runs (the CLI in process). */
  readonly ledgerStatus?: (() => LedgerStatus) | undefined;
  /** Calls of the running process as they end; absent where no server runs. */
  readonly callFeed?: CallFeed | undefined;
  /** What the running process has learned of a provider key; absent where no server runs. */
  readonly providerKeyHealth?:
    | ((key: Pick<ProviderKeyRecord, "id" | "accountId">) => ProviderKeyHealth)
    | undefined;
  /** How much of accounts' limits is used now, as far as the running process knows; absent where no server runs. */
  readonly accountUses?: (() => readonly AccountUse[]) | undefined;
  /** Called for each client token that is made: one may be made for every visit, so that the audit log does not tell of them. */
  readonly onClientToken?: ((made: MadeClientToken) => void) | undefined;
  /** Called for each refusal that the table of error codes wants in the log: a wrong token, another origin. */
  readonly onRefusal?: ((refusal: AdminRefusal) => void) | undefined;
  /** Called once for each answer with a status of 500 or more, and for an export that breaks off. */
  readonly onFault?: ((fault: AdminFault) => void) | undefined;
}

/** Where a request came from. */
export interface AdminCaller {
  /** The IP address of the other end of the connection; null where there was none. */
  readonly address: string | null;
}

/** A client token that was made, for the log: it is a row nowhere. */
export interface MadeClientToken {
  readonly requestId: RequestId;
  readonly id: ClientTokenId;
  readonly keyId: GatewayKeyId;
  readonly customer: string;
  readonly expiresAtMs: number;
  /** Who has made it, and from where. */
  readonly by: string;
  readonly address: string | null;
}

/** What the parts of one request leave for each other. */
export interface AdminEnv {
  readonly Bindings: AdminCaller;
  readonly Variables: {
    readonly requestId: RequestId;
    readonly refusedWith?: ErrorCode;
    /** For the log alone: why, where the answer does not say. */
    readonly refusedBecause?: string;
    /** Who asks, as the authenticator knows them. */
    readonly principal: Principal;
    /**
     * Whether who asks may still do what the route does, for answers that go on for long: looks anew at the token or the session, and at
     * the role. Rejects when the store does not answer. On routes that need a permission.
     */
    readonly isStillAllowed: () => Promise<boolean>;
    /** Their name, as it is written beside what they change. */
    readonly actor: string;
  };
}
