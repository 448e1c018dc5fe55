import type { GatewayListener } from "../proxy/server.ts";
import type { BoundPort } from "./bind-port.ts";

/** Cut calls settle at once. What does not must not keep the ledger from being flushed and closed. */
const MAX_SETTLE_MS = 5_000;

/** The longest that `drain` takes. */
export function maxDrainMs(graceMs: number): number {
  return graceMs + 2 * MAX_SETTLE_MS;
}

/** Takes no new calls, lets those in flight end for as long as the grace lasts, then cuts them. */
export async function drain(
  gateway: GatewayListener,
  bound: BoundPort,
  graceMs: number,
): Promise<void> {
  gateway.stopAccepting();
  const closed = bound.close();
  const grace = Promise.withResolvers<void>();
  const timer = setTimeout(grace.resolve, graceMs);
  await Promise.race([gateway.idle(), grace.promise]);
  clearTimeout(timer);
  bound.closeAllConnections();
  const settled = Promise.withResolvers<void>();
  const settleTimer = setTimeout(settled.resolve, MAX_SETTLE_MS);
  await Promise.race([Promise.all([closed, gateway.idle()]), settled.promise]);
  clearTimeout(settleTimer);
}

/** Gives the port up at once. */
export async function closePort(bound: BoundPort): Promise<void> {
  const closed = bound.close();
  bound.closeAllConnections();
  await closed;
}
