/**
 * The load: keep-alive connections that each send one request after the other, on raw sockets, so that the generator
 * costs less than what it measures.
 */
import { connect, type Socket } from "node:net";
import { ResponseParser, type ParsedResponse } from "./response-parser.ts";

export interface LoadPlan {
  readonly port: number;
  /** A whole request, head and body. */
  readonly request: Buffer;
  readonly connections: number;
  /** Responses before anything counts: just-in-time compilers, connection pools, caches. */
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** Pause of a connection between two requests; 0 = as fast as it goes. */
  readonly pauseMs: number;
  /** The least body that a right answer has. */
  readonly minBodyBytes: number;
}

export interface LoadResult {
  readonly responses: number;
  readonly measuredMs: number;
  /** Milliseconds from the request's first byte sent to the answer's last byte, ascending. */
  readonly latenciesMs: Float64Array;
  /** And to the first byte of the answer's body, ascending. */
  readonly firstBytesMs: Float64Array;
}

/** Called when the warm-up is over and when the measured time is: what is read then belongs to the same interval. */
export interface LoadMarks {
  readonly onStart: () => void;
  readonly onEnd: () => void;
}

/** Runs the plan. Rejects at the first wrong answer: a fast error is not a result. */
export async function runLoad(plan: LoadPlan, marks: LoadMarks): Promise<LoadResult> {
  const run = new LoadRun(plan);
  try {
    await run.start();
    await run.during(plan.warmUpMs);
    run.isMeasuring = true;
    marks.onStart();
    const startedAt = performance.now();
    await run.during(plan.measuredMs);
    marks.onEnd();
    run.isMeasuring = false;
    const measuredMs = performance.now() - startedAt;
    return {
      responses: run.latencies.length,
      measuredMs,
      latenciesMs: Float64Array.from(run.latencies).toSorted(),
      firstBytesMs: Float64Array.from(run.firstBytes).toSorted(),
    };
  } finally {
    run.stop();
  }
}

class LoadRun {
  isMeasuring = false;
  readonly latencies: number[] = [];
  readonly firstBytes: number[] = [];
  readonly #plan: LoadPlan;
  readonly #sockets: Socket[] = [];
  readonly #failure = Promise.withResolvers<never>();
  #isStopped = false;

  constructor(plan: LoadPlan) {
    this.#plan = plan;
    this.#failure.promise.catch(() => undefined); // It is awaited by `during`, which may not run any more.
  }

  async start(): Promise<void> {
    const opening = Array.from({ length: this.#plan.connections }, () => this.#open());
    await Promise.race([Promise.all(opening), this.#failure.promise]);
  }

  async during(ms: number): Promise<void> {
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, ms);
    await Promise.race([over.promise, this.#failure.promise]).finally(() => clearTimeout(timer));
  }

  stop(): void {
    this.#isStopped = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #open(): Promise<void> {
    const { port, request, pauseMs } = this.#plan;
    const opened = Promise.withResolvers<void>();
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#sockets.push(socket);
    let sentAt = 0;
    const send = (): void => {
      if (this.#isStopped) return;
      sentAt = performance.now();
      socket.write(request);
    };
    const parser = new ResponseParser(
      () => {
        if (this.isMeasuring) this.firstBytes.push(performance.now() - sentAt);
      },
      (response) => {
        this.#take(response, sentAt);
        if (pauseMs === 0) send();
        else setTimeout(send, pauseMs);
      },
    );
    socket.on("connect", () => {
      opened.resolve();
      send();
    });
    socket.on("data", (data) => {
      try {
        parser.push(data);
      } catch (err) {
        this.#failure.reject(err);
      }
    });
    socket.on("error", (err) => this.#failure.reject(err));
    socket.on("close", () => {
      if (!this.#isStopped) this.#failure.reject(new Error("the target closed a connection"));
    });
    return opened.promise;
  }

  #take(response: ParsedResponse, sentAt: number): void {
    if (response.status !== 200 || response.bodyBytes < this.#plan.minBodyBytes) {
      this.#failure.reject(
        new Error(`a wrong answer: status ${response.status}, ${response.bodyBytes} bytes`),
      );
      return;
    }
    if (!this.isMeasuring) return;
    this.latencies.push(performance.now() - sentAt);
  }
}
