import type { SnapshotSource } from "../proxy/snapshot.ts";
import { withinDeadline } from "./within-deadline.ts";

/**
 * A source that rejects when its store keeps silent. A network that swallows packets, other than a database that is
 * down, refuses nothing: a call would wait for its key until the driver gives up on the connection, and nobody would
 * notice that revocations no longer arrive.
 */
export function withAnswerDeadline(source: SnapshotSource, deadlineMs: number): SnapshotSource {
  return {
    findKeyByHash: (hash) => withinDeadline(deadlineMs, source.findKeyByHash(hash)),
    findKeyById: (id) => withinDeadline(deadlineMs, source.findKeyById(id)),
    loadRouting: (environmentId) => withinDeadline(deadlineMs, source.loadRouting(environmentId)),
    latestSequence: () => withinDeadline(deadlineMs, source.latestSequence()),
    changesSince: (sequence) => withinDeadline(deadlineMs, source.changesSince(sequence)),
  };
}
