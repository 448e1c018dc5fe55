import { waitAfter } from "../../core/resumable/resumable.ts";

interface Rest {
  readonly failures: number;
  readonly untilMs: number;
}

/** Work that broke before it could be written on it; what this process remembers of it. */
export class RestingWork {
  readonly #rests = new Map<string, Rest>();

  /** 0 where it does not rest. */
  untilMs(id: string): number {
    return this.#rests.get(id)?.untilMs ?? 0;
  }

  /** It broke once more; until when it rests. */
  add(id: string, nowMs: number): number {
    const failures = this.#rests.get(id)?.failures ?? 0;
    const untilMs = nowMs + waitAfter(failures);
    this.#rests.set(id, { failures: failures + 1, untilMs });
    return untilMs;
  }

  delete(id: string): void {
    this.#rests.delete(id);
  }

  /** The others are not open any more. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#rests.keys()) if (!ids.has(id)) this.#rests.delete(id);
  }
}
