/** How often a process says that it lives. */
export const HEARTBEAT_INTERVAL_MS = 2_000;

/** A process that has said nothing for so long hangs, is cut off from the store, or is dead. */
export const SILENT_AFTER_MS = 10_000;

/** After so long it counts as lost with its machine: nobody waits for its journal any more. */
export const LOST_AFTER_MS = 10 * 60_000;
