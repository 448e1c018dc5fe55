import type { SnapshotSource } from "../proxy/snapshot.ts";

/**
 * A source that rejects when its store keeps silent. A network that swallows packets, other than a database that is
 * down, refuses nothing: a call would wait for its key until the driver gives up on the connection, and nobody would
 * notice that revocations no longer arrive.
 */
export function withAnswerDeadline(source: SnapshotSource, deadlineMs: number): SnapshotSource {
  return {
    findKeyByHash: (hash) => within(deadlineMs, source.findKeyByHash(hash)),
    loadRouting: (environmentId) => within(deadlineMs, source.loadRouting(environmentId)),
    latestSequence: () => within(deadlineMs, source.latestSequence()),
    changesSince: (sequence) => within(deadlineMs, source.changesSince(sequence)),
  };
}

async function within<Value>(deadlineMs: number, answer: Promise<Value>): Promise<Value> {
  const silence = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => silence.reject(new Error(`the store did not answer within ${deadlineMs} ms`)),
    deadlineMs,
  );
  try {
    return await Promise.race([answer, silence.promise]);
  } finally {
    clearTimeout(timer);
  }
}
