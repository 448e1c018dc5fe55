import type { IdFactory } from "../../core/ids/ids.ts";
import type { CallIntent } from "../../core/usage/usage-event.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { requestedModel, type Call, type Refusal } from "../call.ts";

export interface OpenIntentDeps {
  readonly ids: IdFactory;
  readonly ledger: Ledger;
}

const MAX_PATH_CHARACTERS = 256;

/**
 * Writes to the journal that this call is about to be sent. One intent a provider call, so it comes after the route.
 * A call that cannot be journalled is not sent: it would cost money that nobody sees. What is held for a call that is not
 * sent is free again, whatever kept it from being sent.
 */
export async function openIntent(deps: OpenIntentDeps, call: Call): Promise<Refusal | undefined> {
  let isOpen = false;
  try {
    if (call.endedBy !== undefined) return call.endedBy;
    const intent = createIntent(deps, call);
    try {
      await deps.ledger.open(intent);
    } catch {
      return JOURNAL_UNAVAILABLE;
    }
    isOpen = true;
    call.intent = intent;
    return undefined;
  } finally {
    if (!isOpen) {
      call.hold?.release();
      call.hold = undefined;
    }
  }
}

const JOURNAL_UNAVAILABLE: Refusal = {
  code: "journal_unavailable",
  message:
    "The call was not sent, because its cost could not be written down first. Try again shortly.",
};

function createIntent(deps: OpenIntentDeps, call: Call): CallIntent {
  const { key, route } = call;
  if (key === undefined || route === undefined) throw new Error("openIntent comes after route");
  // Nothing was sent and nobody waits: there is no call to write down.
  if (call.reply.isClosed)
    throw new Error("the client closed the connection before its call was sent");
  return {
    id: deps.ids.create("evt"),
    requestId: call.requestId,
    attempt: call.attempt,
    startedAtMs: call.attemptStartedAtMs,
    projectId: key.projectId,
    environmentId: key.environmentId,
    gatewayKeyId: key.id,
    clientTokenId: key.clientToken?.id,
    customer: call.customer,
    feature: call.feature,
    operation: call.operation.name,
    method: call.request.method,
    path: call.request.path.slice(0, MAX_PATH_CHARACTERS),
    provider: route.provider.name,
    providerAccountId: route.accountId,
    providerKeyId: route.keyId,
    requestedModel: requestedModel(call),
    isStream: call.peeked?.isStream ?? false,
    holdPicos: call.hold?.picos ?? null,
  };
}
