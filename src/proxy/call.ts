import type { ErrorCode } from "../core/errors/codes.ts";
import type { RequestId } from "../core/ids/ids.ts";
import type { CallIntent } from "../core/usage/usage-event.ts";
import type { TraceContext } from "../telemetry/trace-context.ts";
import type { TopLevelScan } from "../wire/json/top-level-scanner.ts";
import type { Operation } from "../wire/openai/operation.ts";
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

/** What the gateway reads out of a request's body; the fields of the provider that it acts upon. */
interface PeekedBody {
  readonly bytes: Buffer;
  readonly scan: TopLevelScan;
  readonly model: string | null;
  readonly isStream: boolean;
  /** `safety_identifier`, else `user`. */
  readonly endUser: string | null;
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
