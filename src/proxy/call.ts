import type { Readable } from "node:stream";
import type { ErrorCode } from "../core/errors/codes.ts";
import type { RequestId } from "../core/ids/ids.ts";
import type { CallPolicy } from "../core/policy/call-policy.ts";
import type { CircuitTicket } from "../core/routing/circuit.ts";
import type { ScopedCall } from "../core/scopes/scope.ts";
import type { CallIntent, DeferredStep } from "../core/usage/usage-event.ts";
import type { Hold } from "../ledger/holds.ts";
import type { Admission } from "../ledger/limits.ts";
import type { TraceContext } from "../telemetry/trace-context.ts";
import type { Dialect } from "../wire/dialect.ts";
import type { TopLevelScan } from "../wire/json/top-level-scanner.ts";
import type { JsonObject, Operation } from "../wire/openai/operation.ts";
import type { AccountTicket } from "./account-gate.ts";
import type { Exchange, ExchangeResult } from "./exchange.ts";
import type { GatewayReply, GatewayRequest } from "./gateway-request.ts";
import type { ReadyFields } from "./http/ready-fields.ts";
import type { EnvironmentRouting, KeyEntry, ProviderRoute } from "./snapshot.ts";

/** Why Keyward itself does not carry out a call: an expected outcome, returned and never thrown. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly param?: string;
  /** The body was not read to its end: the connection can't be used again. */
  readonly isConnectionSpent?: boolean;
  /** When the same call can succeed, where that is known. */
  readonly retryAfterMs?: number;
  /** The window of the hard budget that has too little left. */
  readonly budgetWindowId?: string;
}

/**
 * What the gateway reads out of a request's body; the fields of the provider that it acts upon. Of a form that is
 * streamed they may become known only as it passes.
 */
export interface PeekedBody {
  /** The whole body; null where it is streamed from the request, and so can't be sent a second time. */
  readonly bytes: Buffer | null;
  /** Where the fields stand in a JSON body; null for a form. */
  readonly scan: TopLevelScan | null;
  /** Whether nothing can follow that would change the fields. */
  readonly isComplete: boolean;
  readonly model: string | null;
  /** Models that the provider may take in place of `model` when that one fails; null for an entry that names none. */
  readonly otherModels: readonly (string | null)[];
  readonly isStream: boolean;
  /** `safety_identifier`, else `user`. */
  readonly endUser: string | null;
  /** What is sent where `bytes` is null; it can be asked for once. */
  stream(): Readable | null;
  /** The text fields of a form; null for JSON, which is parsed where its other members are needed. */
  fields(): JsonObject | null;
}

interface FailedAttempt {
  readonly route: ProviderRoute;
  /** The account is used up for this call: none of its keys is tried. */
  readonly isAccountSpent: boolean;
}

/** One request on its way through the stages; each stage fills in its part. */
export interface Call {
  readonly requestId: RequestId;
  readonly startedAtMs: number;
  /** The same instant on a clock that never jumps, for durations. */
  readonly startedMonotonicMs: number;
  readonly request: GatewayRequest;
  readonly reply: GatewayReply;
  readonly operation: Operation;
  /** The client's API: which providers can be called, and the shape of the errors that Keyward answers with. */
  readonly dialect: Dialect;
  key: KeyEntry | undefined;
  /** Undefined where the body is streamed through unread. */
  peeked: PeekedBody | undefined;
  /** The rules of its environment that it can break; null where there are none. */
  policy: CallPolicy | null;
  /** What its environment's policy limits its output to; a limit of the call's own is none above that. */
  outputCap: number | null;
  /** What its body takes of the memory for all bodies. */
  heldBytes: number;
  customer: string | null;
  feature: string | null;
  /** What the environment's routing was when `candidates` were found. */
  routing: EnvironmentRouting | undefined;
  /** The ways that `route` found for it, whatever their health. */
  candidates: readonly ProviderRoute[];
  /** The model's name as the provider is sent it: the client's, unless a routing rule puts another in its place. */
  upstreamModel: string | null;
  /** The way of the provider call that is under way, or was last. */
  route: ProviderRoute | undefined;
  /** Which provider call of this call that is, counted from 1. */
  attempt: number;
  attemptStartedAtMs: number;
  attemptStartedMonotonicMs: number;
  /** Under which turn of the route's circuit it was let through. */
  circuitTicket: CircuitTicket;
  /** What has failed this call already. */
  readonly failedAttempts: FailedAttempt[];
  /** Where it goes next: chosen as soon as an attempt is known to have failed. */
  nextRoute: { readonly route: ProviderRoute; readonly ticket: CircuitTicket } | undefined;
  /** A provider's whole answer that was not passed on, because another way is tried. */
  setAside: ExchangeResult | undefined;
  /** What was learned of work before it is deleted. */
  lastLook: DeferredStep | undefined;
  /** What it has taken of the limits that count it; undefined where none does. */
  admission: Admission | undefined;
  /** Ask `estimatedTokensOf`. */
  estimatedTokens: number | undefined;
  /** Of the limits that count it, sent and refused alike; undefined where none does. */
  rateHeaders: ReadyFields | undefined;
  /** The attempt's leave to go to its account; undefined where nothing is known of the account's own limits. */
  accountTicket: AccountTicket | undefined;
  /** What is set aside for the attempt; undefined where no hard budget counts it. */
  hold: Hold | undefined;
  /** Puts this limit on the output in the place of the client's, in whichever of the fields it stands. */
  outputLimit: { readonly fields: readonly string[]; readonly tokens: number } | undefined;
  /** The attempt's; set once it is in the journal. */
  intent: CallIntent | undefined;
  /** With the provider, the attempt's; undefined before the first. */
  exchange: Exchange | undefined;
  /** Why the call must end, which was let in before: its key is refused by now. */
  endedBy: Refusal | undefined;
  /** The span that the next provider call is reported as; undefined while tracing is off. */
  trace: TraceContext | undefined;
}

const MAX_MODEL_CHARACTERS = 256;

/** The model that the client asked for, as the ledger has it. */
export function requestedModel({ peeked }: Call): string | null {
  return peeked?.model?.trim().slice(0, MAX_MODEL_CHARACTERS) ?? null;
}

/** Whose call it is on the way that it takes now. */
export function scopedCall({ key, route, customer, feature }: Call): ScopedCall {
  if (key === undefined || route === undefined) throw new Error("its way is not chosen yet");
  return {
    projectId: key.projectId,
    environmentId: key.environmentId,
    gatewayKeyId: key.id,
    customer,
    feature,
    providerAccountId: route.accountId,
  };
}

/** The model that the provider was asked for; of a form that is streamed it may be known only when it has passed. */
export function sentModel({ upstreamModel, peeked }: Call): string | null {
  return upstreamModel ?? peeked?.model ?? null;
}
