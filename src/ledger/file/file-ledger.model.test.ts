import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  FaultyJournalFiles,
  type JournalOperation,
} from "../../../test/support/faulty-journal-files.ts";
import { ids, type LedgerUnderTest, startLedger } from "../../../test/support/ledger-under-test.ts";
import { MemoryEventSink } from "../../../test/support/memory-event-sink.ts";
import { sampleEvent, sampleIntent } from "../../../test/support/sample-calls.ts";
import type { CallIntent, UsageEvent } from "../../core/usage/usage-event.ts";
import { unknownEvent } from "../unknown-event.ts";

/**
 * The ledger beside the simplest model of it: which calls it has taken, and which of them it has taken the end of.
 * After every few steps the process "dies", its journal is recovered, and the store must hold what the model says.
 */
class Model {
  readonly files = new FaultyJournalFiles();
  readonly #open: CallIntent[] = [];
  /** Calls whose intent was acknowledged, with the events the store may hold after a crash. */
  readonly #expected = new Map<string, readonly UsageEvent[]>();
  readonly #refused = new Set<string>();
  readonly #under: LedgerUnderTest;

  constructor(under: LedgerUnderTest, files: FaultyJournalFiles) {
    this.#under = under;
    this.files = files;
  }

  async open(count: number): Promise<void> {
    const intents = Array.from({ length: count }, () => sampleIntent(ids));
    const opened = await Promise.allSettled(intents.map((one) => this.#under.ledger.open(one)));
    for (const [index, intent] of intents.entries()) {
      if (opened[index]?.status === "fulfilled") {
        this.#open.push(intent);
        this.#expected.set(intent.id, [unknownEvent(intent)]);
      } else {
        this.#refused.add(intent.id);
      }
    }
  }

  async settle(picks: readonly number[]): Promise<void> {
    const settling: Promise<void>[] = [];
    for (const pick of picks) {
      // -1 is the last one that was opened.
      const [intent] = this.#open.splice(pick % Math.max(1, this.#open.length), 1);
      if (intent !== undefined) settling.push(this.#settleOne(intent));
    }
    await Promise.all(settling);
  }

  async #settleOne(intent: CallIntent): Promise<void> {
    const event = sampleEvent(intent);
    await this.#under.ledger.settle(event).then(
      () => this.#expected.set(intent.id, [event]),
      // Refused by the journal, it is in memory: a crash may still lose the end of the call, never the call.
      () => this.#expected.set(intent.id, [event, unknownEvent(intent)]),
    );
  }

  async flush(): Promise<void> {
    await this.#under.ledger.flush().catch((error: unknown) => {
      expect(this.#under.sink.failure).not.toBe("none");
      return error;
    });
  }

  /** Recovers into a copy of the store, as the next process would. */
  async crash(): Promise<void> {
    const store = new MemoryEventSink();
    for (const [id, event] of this.#under.sink.events) store.events.set(id, event);
    await this.#under.recoverAfterCrash(store);
    expect(new Set(store.events.keys())).toEqual(new Set(this.#expected.keys()));
    for (const [id, allowed] of this.#expected)
      expect(allowed).toContainEqual(store.events.get(id));
    for (const id of this.#refused) expect(store.events.has(id)).toBe(false);
  }

  async end(): Promise<void> {
    this.files.faultOf = () => undefined;
    this.#under.sink.failure = "none";
    await this.settle(this.#open.map(() => 0));
    await this.flush();
    await this.flush();
    expect(this.#under.ledger.status()).toMatchObject({ openIntents: 0, pendingEvents: 0 });
    expect(this.#under.sink.events.size).toBe(this.#expected.size);
    await this.crash();
  }
}

type Step = (model: Model, under: LedgerUnderTest) => Promise<void> | void;

const DISK_FAULTS: readonly (readonly JournalOperation[])[] = [
  [],
  ["write"],
  ["create"],
  ["syncData"],
  ["close"],
  ["remove"],
];

const step: fc.Arbitrary<{ readonly name: string; readonly run: Step }> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .integer({ min: 1, max: 6 })
      .map((count) => named(`open ${count}`, (model) => model.open(count))),
  },
  {
    weight: 6,
    arbitrary: fc
      .array(fc.nat(), { minLength: 1, maxLength: 6 })
      .map((picks) => named(`settle ${picks.join()}`, (model) => model.settle(picks))),
  },
  {
    weight: 4,
    arbitrary: fc.integer({ min: 1, max: 6 }).map((count) =>
      named(`pass ${count} through`, async (model) => {
        await model.open(count);
        await model.settle(Array.from({ length: count }, () => -1));
        await model.flush();
      }),
    ),
  },
  { weight: 3, arbitrary: fc.constant(named("flush", (model) => model.flush())) },
  { weight: 1, arbitrary: fc.constant(named("crash", (model) => model.crash())) },
  {
    weight: 2,
    arbitrary: fc.constantFrom("none", "fail", "commit-then-fail" as const).map((failure) =>
      named(`store: ${failure}`, (_, under) => {
        under.sink.failure = failure;
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ faults: fc.constantFrom(...DISK_FAULTS), bytes: fc.nat({ max: 1500 }) })
      .map(({ faults, bytes }) =>
        named(`disk: ${faults.join()} after ${bytes}`, (model) => {
          model.files.bytesBeforeFault = bytes;
          model.files.faultOf = (operation) => (faults.includes(operation) ? "EIO" : undefined);
        }),
      ),
  },
);

function named(name: string, run: Step) {
  return { name, run, toString: () => name };
}

test("every call that was opened is in the store once after recovery, whatever fails in between and wherever it dies", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 60 }),
      fc.constantFrom("process", "disk" as const),
      async (steps, durability) => {
        const files = new FaultyJournalFiles();
        const under = await startLedger({
          files,
          durability,
          maxSegmentBytes: 700,
          maxEventsInMemory: 4,
        });
        try {
          const model = new Model(under, files);
          for (const { run } of steps) await run(model, under);
          await model.crash();
          await model.end();
        } finally {
          files.faultOf = () => undefined;
          under.sink.failure = "none";
          await under.dispose();
        }
      },
    ),
    { numRuns: 120 },
  );
}, 120_000);
