import type { HeldSlots } from "./limit-use.ts";

/** What a process tells the store of its calls in flight, and asks for. */
export interface SlotRequest {
  readonly processId: string;
  /** The limit, as the process knows it. */
  readonly limit: number;
  /** Slots that the process holds and keeps: those of its calls in flight are among them. */
  readonly kept: number;
  /** Calls that are in flight, or will be when they have the slot that they wait for. */
  readonly inFlight: number;
  /** Calls that wait for one beyond those that are kept. */
  readonly waiting: number;
}

export interface SlotGrant {
  readonly slots: HeldSlots;
  /** What the process holds from now on. */
  readonly held: number;
  /** What nobody holds. */
  readonly free: number;
  /** Slots are so few that another process may be waiting for each that lies idle with this one. */
  readonly isTight: boolean;
}

/** Where there are fewer slots than this, none is kept ready: another process may need it. */
const MIN_LIMIT_WITH_SPARE = 32;
/** Beyond what a process needs, this share of it is kept ready; and of what is left, at most this share. */
const SPARE_SHARE = 4;
/** With fewer slots than this for each process, all of them are handed about call by call. */
const FEW_FOR_A_PROCESS = 4;

/** How many slots a process keeps ready for calls to come, where there is plenty. */
function spareSlots(limit: number, needed: number): number {
  return limit < MIN_LIMIT_WITH_SPARE ? 0 : Math.ceil(needed / SPARE_SHARE);
}

/**
 * Leases slots. A process always states all that it holds, so what it says twice, or says after it was taken for dead,
 * does no harm. Slots of processes that do not run are void.
 */
export function takeSlots(
  before: HeldSlots,
  request: SlotRequest,
  runningProcesses: ReadonlySet<string>,
): SlotGrant {
  const { processId, limit, kept, inFlight, waiting } = request;
  const others = Object.entries(before).filter(
    ([id, { held }]) => id !== processId && held > 0 && runningProcesses.has(id),
  );
  let takenByOthers = 0;
  for (const [, holding] of others) takenByOthers += holding.held;
  const available = Math.max(0, limit - takenByOthers);
  // Calls that are on their way are on their way, also when the limit was lowered.
  const needed = Math.max(kept, Math.min(kept + waiting, available));
  const left = Math.max(0, available - needed);
  const spare = Math.min(spareSlots(limit, needed), Math.floor(left / SPARE_SHARE));
  const held = needed + spare;
  const free = Math.max(0, available - held);
  const isShared = runningProcesses.size > 1;
  const holding = { held, inFlight: Math.min(held, inFlight) };
  return {
    slots: Object.fromEntries(held === 0 ? others : [...others, [processId, holding]]),
    held,
    free,
    isTight: isShared && (free === 0 || limit < FEW_FOR_A_PROCESS * runningProcesses.size),
  };
}
