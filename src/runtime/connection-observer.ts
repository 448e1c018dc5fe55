import type { Ledger } from "../ledger/ledger.ts";
import type { ConnectionObserver } from "../proxy/http/http-server.ts";
import type { Log } from "../telemetry/log.ts";

/** A flood of connections must not become a flood of lines. */
const DROP_REPORT_INTERVAL_MS = 10_000;

/** Counts what was refused before it was a call, and says now and then that connections are turned away. */
export function createConnectionObserver(deps: {
  readonly ledger: Pick<Ledger, "countRefusal">;
  readonly log: Log;
  readonly monotonicMs: () => number;
}): ConnectionObserver {
  let dropped = 0;
  let reportedAtMs = Number.NEGATIVE_INFINITY;
  return {
    requestRefused: (code) =>
      deps.ledger.countRefusal({ code, gatewayKeyId: null, customer: null }),
    connectionDropped: () => {
      dropped += 1;
      const nowMs = deps.monotonicMs();
      if (nowMs - reportedAtMs < DROP_REPORT_INTERVAL_MS) return;
      reportedAtMs = nowMs;
      deps.log.warn(
        { dropped },
        "connections were closed because there are as many as the setting maxConnections, or the open files, allow",
      );
      dropped = 0;
    },
  };
}
