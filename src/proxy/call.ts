import type { ErrorCode } from "../core/errors/codes.ts";
import type { RequestId } from "../core/ids/ids.ts";
import type { CallIntent } from "../core/usage/usage-event.ts";
import type { TraceContext } from "../telemetry/trace-context.ts";
import type { TopLevelScan } from "../wire/json/top-level-scanner.ts";
import type { JsonObject, Operation } from "../wire/openai/operation.ts";
import type { GatewayReply, GatewayRequest } from "./gateway-request.ts";
import type { KeyEntry, ProviderRoute } from "./snapshot.ts";

/** Why Keyward itself does not carry out a call: an expected outcome, returned and never thrown. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly param?: string;
  /** The body was not read to its end: the connection can't be used again. */
  readonly isConnectionSpent?: boolean;
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
  readonly isStream: boolean;
  /** `safety_identifier`, else `user`. */
  readonly endUser: string | null;
  /** The text fields of a form; null for JSON, which is parsed where its other members are needed. */
  fields(): JsonObject | null;
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
  key: KeyEntry | undefined;
  /** Undefined where the body is streamed through unread. */
  peeked: PeekedBody | undefined;
  customer: string | null;
  feature: string | null;
  route: ProviderRoute | undefined;
  /** Set once the intent is in the journal. */
  intent: CallIntent | undefined;
  /** The span that the next provider call is reported as; undefined while tracing is off. */
  trace: TraceContext | undefined;
}
