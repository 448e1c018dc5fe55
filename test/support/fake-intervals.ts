import { performance } from "node:perf_hooks";
import { type MockInstance, vi } from "vitest";

let clock: MockInstance<() => number> | undefined;

/**
 * Fake intervals, and with them the clock that never jumps, also for modules that import it: fake timers by themselves
 * replace the global alone. Until `useRealIntervals`.
 */
export function useFakeIntervals(): void {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  clock = vi.spyOn(performance, "now").mockImplementation(() => globalThis.performance.now());
}

export function useRealIntervals(): void {
  clock?.mockRestore();
  clock = undefined;
  vi.useRealTimers();
}
