/** What a process tells the store of its calls in flight, and asks for. */
export interface SlotRequest {
  readonly processId: string;
  /** The limit, as the process knows it. */
  readonly limit: number;
  /** Slots that the process holds and keeps: those of its calls in flight are among them. */
  readonly kept: number;
  /** Calls that wait for one. */
  readonly waiting: number;
}

export interface SlotGrant {
  readonly slots: Readonly<Record<string, number>>;
  /** What the process holds from now on. */
  readonly held: number;
  /** What nobody holds. */
  readonly free: number;
  /** Other processes may want some. */
  readonly isShared: boolean;
}

/** Where there are fewer slots than this, none is kept ready: another process may need it. */
const MIN_LIMIT_WITH_SPARE = 32;
/** Beyond what a process needs, this share of it is kept ready; and of what is left, at most this share. */
const SPARE_SHARE = 4;

/** How many slots a process keeps ready for calls to come, where there is plenty. */
export function spareSlots(limit: number, needed: number): number {
  return limit < MIN_LIMIT_WITH_SPARE ? 0 : Math.ceil(needed / SPARE_SHARE);
}

/**
 * Leases slots. A process always states all that it holds, so what it says twice, or says after it was taken for dead,
 * does no harm. Slots of processes that do not run are void.
 */
export function takeSlots(
  before: Readonly<Record<string, number>>,
  request: SlotRequest,
  runningProcesses: ReadonlySet<string>,
): SlotGrant {
  const { processId, limit, kept, waiting } = request;
  const others = Object.entries(before).filter(
    ([id, held]) => id !== processId && held > 0 && runningProcesses.has(id),
  );
  let takenByOthers = 0;
  for (const [, held] of others) takenByOthers += held;
  const available = Math.max(0, limit - takenByOthers);
  // Calls that are on their way are on their way, also when the limit was lowered.
  const needed = Math.max(kept, Math.min(kept + waiting, available));
  const left = Math.max(0, available - needed);
  const spare = Math.min(spareSlots(limit, needed), Math.floor(left / SPARE_SHARE));
  const held = needed + spare;
  return {
    slots: Object.fromEntries(held === 0 ? others : [...others, [processId, held]]),
    held,
    free: Math.max(0, available - held),
    isShared: runningProcesses.size > 1,
  };
}
