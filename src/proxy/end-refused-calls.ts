import type { GatewayKeyId } from "../core/ids/ids.ts";
import type { Call } from "./call.ts";
import { authenticate, type AuthenticateDeps, isOutage } from "./stages/authenticate.ts";

/** How soon a key is looked up again that changed just when the store went away. */
const LOOK_AGAIN_MS = 250;

/**
 * A gateway key has changed, or client tokens were revoked (null): its calls in flight whose secret would be refused now
 * are ended, a stream in its midst. What can't be looked up at the moment is looked up until it can.
 */
export async function endRefusedCalls(
  deps: AuthenticateDeps,
  id: GatewayKeyId | null,
): Promise<void> {
  await Promise.all(deps.callsByKey.of(id).map((call) => endIfRefused(deps, call)));
}

async function endIfRefused(deps: AuthenticateDeps, call: Call): Promise<void> {
  for (;;) {
    const refusal = await authenticate(deps, call);
    if (call.reply.isClosed) {
      // It ended meanwhile, and was put among those in flight once more.
      deps.callsByKey.remove(call);
      return;
    }
    // A call that began while its token was good goes on.
    if (refusal === undefined || refusal.code === "client_token_expired") return;
    if (!isOutage(refusal)) {
      call.endedBy = refusal;
      call.exchange?.revoke();
      return;
    }
    await new Promise((resolve) => {
      setTimeout(resolve, LOOK_AGAIN_MS).unref();
    });
  }
}
