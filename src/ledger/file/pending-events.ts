import { open } from "node:fs/promises";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import type { Segment, WrittenPlace } from "./journal-writer.ts";
import { readSegmentBlock } from "./segment-reader.ts";

/** Events for one call of the sink; `confirm` when they are there. */
export interface PendingBatch {
  readonly events: readonly UsageEvent[];
  confirm(): void;
}

export interface PendingEventsOptions {
  /** Beyond this many, settled events are left on disk alone and read back when it is their turn. */
  readonly maxInMemory: number;
  /** All segments of the journal, oldest first. */
  segments(): readonly Segment[];
  /** A line that was written and does not read back; to be kept and reported. */
  onCorruptLine(segment: Segment, line: Buffer): Promise<void>;
}

interface Chunk {
  readonly segment: Segment;
  readonly events: readonly UsageEvent[];
}

/**
 * Settled events on their way to the store, in the order of the journal. While the database is away the queue in
 * memory fills up to its limit; from then on only a position in the journal is kept, and when the queue has drained,
 * the rest is read back from there, until the reader has caught up with the writer.
 */
export class PendingEvents {
  readonly #options: PendingEventsOptions;
  #chunks: Chunk[] = [];
  #inMemory = 0;
  /** Where the events begin that are on disk alone. */
  #spill: { segment: Segment; offset: number } | undefined;
  #spilled = 0;

  constructor(options: PendingEventsOptions) {
    this.#options = options;
  }

  /** All that are not in the store yet. */
  get count(): number {
    return this.#inMemory + this.#spilled;
  }

  /** Adds the settlements of one write to the journal; they must all stand behind those added before. */
  add(place: WrittenPlace, events: readonly UsageEvent[]): void {
    const { segment } = place;
    segment.unflushed += events.length;
    if (this.#spill === undefined && this.#inMemory < this.#options.maxInMemory) {
      this.#chunks.push({ segment, events });
      this.#inMemory += events.length;
    } else {
      this.#spill ??= { ...place };
      this.#spilled += events.length;
    }
  }

  /** The oldest events, about `limit` of them; undefined when there are none. Asked again only after `confirm`. */
  async next(limit: number): Promise<PendingBatch | undefined> {
    if (this.#chunks.length > 0) return this.#nextInMemory(limit);
    return await this.#nextSpilled();
  }

  #nextInMemory(limit: number): PendingBatch {
    const taken: Chunk[] = [];
    let count = 0;
    for (const chunk of this.#chunks) {
      if (taken.length > 0 && count + chunk.events.length > limit) break;
      taken.push(chunk);
      count += chunk.events.length;
    }
    return {
      events: taken.flatMap((chunk) => chunk.events),
      confirm: () => {
        for (const { segment, events } of taken) segment.unflushed -= events.length;
        this.#chunks = this.#chunks.slice(taken.length);
        this.#inMemory -= count;
      },
    };
  }

  /** Reads on from the spill position until a block has events in it, or the reader has caught up. */
  async #nextSpilled(): Promise<PendingBatch | undefined> {
    while (this.#spill !== undefined) {
      const from = this.#spill;
      const { events, nextOffset } = await this.#readSettlements(from.segment, from.offset);
      const confirm = () => {
        from.segment.unflushed -= events.length;
        this.#spilled -= events.length;
        this.#moveSpill(from.segment, nextOffset);
      };
      if (events.length > 0) return { events, confirm };
      confirm();
    }
    return undefined;
  }

  async #readSettlements(segment: Segment, offset: number) {
    const file = await open(segment.path, "r");
    try {
      const block = await readSegmentBlock(file, offset, segment.bytes);
      const events: UsageEvent[] = [];
      for (const line of block.lines) {
        if (line.record?.kind === "settled") events.push(line.record.event);
        else if (line.record === undefined) await this.#options.onCorruptLine(segment, line.bytes);
      }
      return { events, nextOffset: block.nextOffset };
    } finally {
      await file.close();
    }
  }

  #moveSpill(segment: Segment, offset: number): void {
    if (offset < segment.bytes) {
      this.#spill = { segment, offset };
    } else {
      // What is still counted here can only be lines that did not read back: reported, and not to hold up the rest.
      this.#spilled -= segment.unflushed;
      segment.unflushed = 0;
      const segments = this.#options.segments();
      const rest = segments.slice(segments.indexOf(segment) + 1);
      const following = rest.find((candidate) => candidate.unflushed > 0);
      this.#spill = following === undefined ? undefined : { segment: following, offset: 0 };
    }
    if (this.#spilled === 0) this.#spill = undefined;
  }
}
