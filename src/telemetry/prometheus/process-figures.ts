import { readdir } from "node:fs/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Exposition } from "./exposition.ts";

const RESOLUTION_MS = 20;
/** Two servers that scrape the same process see the same window, not each the half of it. */
const MIN_WINDOW_MS = 10_000;
const NANOSECONDS = 1e9;
const MICROSECONDS = 1e6;
const OPEN_FILES = "/proc/self/fd";

interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What the process says of itself: CPU, memory, files, and how late its event loop is. */
export class ProcessFigures {
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #monotonicMs: () => number;
  readonly #startedAtSeconds: number;
  #windowStartMs: number;
  #window: LoopDelay | undefined;

  constructor(clock: { readonly nowMs: () => number; readonly monotonicMs: () => number }) {
    this.#monotonicMs = clock.monotonicMs;
    this.#windowStartMs = clock.monotonicMs();
    this.#startedAtSeconds = clock.nowMs() / 1000 - process.uptime();
    this.#delays.enable();
  }

  async expose(to: Exposition): Promise<void> {
    const { p50, p99, max } = this.#readDelay();
    to.add("keyward_event_loop_delay_seconds", p50, "0.5");
    to.add("keyward_event_loop_delay_seconds", p99, "0.99");
    to.add("keyward_event_loop_delay_seconds", max, "1");
    const cpu = process.cpuUsage();
    to.add("process_cpu_seconds_total", (cpu.user + cpu.system) / MICROSECONDS);
    to.add("process_start_time_seconds", this.#startedAtSeconds);
    const memory = process.memoryUsage();
    to.add("process_resident_memory_bytes", memory.rss);
    const files = await readdir(OPEN_FILES).catch(() => undefined);
    if (files !== undefined) to.add("process_open_fds", files.length);
    to.add("nodejs_heap_size_used_bytes", memory.heapUsed);
    to.add("nodejs_heap_size_total_bytes", memory.heapTotal);
    to.add("nodejs_external_memory_bytes", memory.external);
  }

  close(): void {
    this.#delays.disable();
  }

  #readDelay(): LoopDelay {
    const nowMs = this.#monotonicMs();
    if (this.#window !== undefined && nowMs - this.#windowStartMs < MIN_WINDOW_MS) {
      return this.#window;
    }
    const delays = this.#delays;
    this.#window = {
      p50: latenessOf(delays.percentile(50)),
      p99: latenessOf(delays.percentile(99)),
      max: latenessOf(delays.max),
    };
    this.#windowStartMs = nowMs;
    delays.reset();
    return this.#window;
  }
}

/** What is measured is the time between two turns of a timer; what is late is beyond its interval. */
function latenessOf(nanoseconds: number): number {
  const lateNanoseconds = nanoseconds - RESOLUTION_MS * 1e6;
  return Number.isFinite(lateNanoseconds) ? Math.max(0, lateNanoseconds) / NANOSECONDS : 0;
}
