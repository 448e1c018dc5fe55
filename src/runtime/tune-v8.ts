import { setFlagsFromString } from "node:v8";

/**
 * For a process that serves: what its calls make lives for milliseconds, or until the next flush.
 *
 * V8 makes objects old at birth where the first hundred or so that a place in the code made have outlived a collection.
 * In a server that is chance: it is decided by which calls were in flight just then. What is old at birth dies unseen, and
 * until a full collection keeps alive what it refers to: whole calls, which each collection of the young then copies. Seen
 * in one of three runs under load: a fourth of everything promoted, and six times the time for each collection.
 */
export function tuneV8(): void {
  setFlagsFromString("--no-allocation-site-pretenuring");
}
