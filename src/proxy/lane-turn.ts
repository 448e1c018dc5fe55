import type { AccountLane } from "./account-lane.ts";
import type { LaneQueue, Waiter } from "./lane-queue.ts";

interface Turn<One> {
  readonly one: One;
  /** 0 = there is room for it now. */
  readonly inMs: number;
}

interface Lane<One extends Waiter> {
  readonly account: AccountLane;
  readonly queue: Pick<LaneQueue<One>, "next" | "isAbsent" | "forget">;
}

/**
 * Which of the calls that wait goes next, and when: the first, unless there is room sooner for one that may overtake it.
 * That one leaves room for as much of what the first needs as the first has saved up.
 */
export function nextTurn<One extends Waiter>(
  lane: Lane<One>,
  nowMs: number,
): Turn<One> | undefined {
  const { account, queue } = lane;
  for (let next = queue.next(); next !== undefined; next = queue.next()) {
    const { first, overtaking } = next;
    let turn: Turn<One> = { one: first, inMs: account.openInMs(first.call, nowMs) };
    if (turn.inMs > 0 && overtaking !== undefined) {
      const { item: one, kept: share } = overtaking;
      const inMs = account.openInMs(one.call, nowMs, { tokens: first.call.tokens, share });
      if (inMs < turn.inMs) turn = { one, inMs };
    }
    const isDue = turn.inMs === 0 || account.mayLackGrant(turn.inMs);
    if (!isDue || !queue.isAbsent(turn.one)) return turn;
    queue.forget(turn.one);
  }
  return undefined;
}

/** What has to be granted whole for the next call to go. */
export function neededTokens(lane: Lane<Waiter>, nowMs: number): number {
  const turn = nextTurn(lane, nowMs);
  return turn === undefined || lane.queue.isAbsent(turn.one) ? 0 : turn.one.call.tokens;
}
