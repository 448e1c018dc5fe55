import type { LeaseHolder, LeaseSource } from "../../core/budgets/lease.ts";
import type { Picos } from "../../core/money/picos.ts";
import type { LedgerLog } from "../ledger-log.ts";
import type { WindowAccount } from "./window-account.ts";

export interface LeaseKeeperOptions {
  readonly holder: LeaseHolder;
  readonly source: LeaseSource;
  readonly accounts: ReadonlyMap<string, WindowAccount>;
  /** What is lent on terms that hold no more, or that nobody knows, goes back. */
  readonly recall: (account: WindowAccount) => void;
  /** Runs work that nobody waits for, so that a shutdown can. */
  readonly tasks: { run(name: string, work: Promise<void>): void };
  readonly log: LedgerLog;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
  /** For a call that waits for a lease. */
  readonly answerDeadlineMs: number;
}

interface Wanted {
  readonly account: WindowAccount;
  readonly amounts: readonly Picos[];
}

interface Round {
  readonly ended: Promise<boolean>;
  readonly end: (isAnswered: boolean) => void;
}

/**
 * The one place where a process speaks to the store of leases: one request at a time, in which all that is asked for
 * meanwhile goes together. So a burst of calls costs two requests and not one each.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #asking = new Set<WindowAccount>();
  readonly #returning = new Set<WindowAccount>();
  #next = newRound();
  #isRunning = false;
  #isDoubtful = false;
  #isAway = false;
  #isStuck = false;
  #flushes = 0;
  #flushing: Promise<unknown> | undefined;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  /** Resolves when the store has answered for these accounts: true, or false when it did not, or not in time. */
  async ask(accounts: readonly WindowAccount[], amount: Picos): Promise<boolean> {
    if (this.#isStuck) return false;
    for (const account of accounts) {
      account.waiting.push(amount);
      this.#asking.add(account);
    }
    const round = this.#next;
    this.#start();
    const deadline = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => {
      // Whoever asks from now on need not wait as long to be told the same.
      this.#isStuck = true;
      deadline.resolve(false);
    }, this.#options.answerDeadlineMs);
    const isAnswered = await Promise.race([round.ended, deadline.promise]);
    clearTimeout(timer);
    return isAnswered;
  }

  /** Gives back what the account has to spare, soon. */
  giveBack(account: WindowAccount): void {
    this.#returning.add(account);
    this.#start();
  }

  /** Nobody knows whether the store has done what it was last asked: what it has is read before it is asked again. */
  doubt(): void {
    this.#isDoubtful = true;
  }

  get isDoubtful(): boolean {
    return this.#isDoubtful;
  }

  /** Compares what the store has with what is known here, when there is a doubt. */
  resolveDoubt(): void {
    if (this.#isDoubtful) this.#start();
  }

  /** While a flush is under way leases change in the store before they do here, so they can't be compared. */
  async duringFlush<Result>(flush: () => Promise<Result>): Promise<Result> {
    this.#flushes += 1;
    const flushing = flush();
    this.#flushing = flushing;
    try {
      return await flushing;
    } finally {
      if (this.#flushing === flushing) this.#flushing = undefined;
    }
  }

  #start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#options.tasks.run("budget leases", this.#run());
  }

  async #run(): Promise<void> {
    // What is asked for within this turn of the event loop goes along.
    await Promise.resolve();
    do {
      const round = this.#next;
      this.#next = newRound();
      const wanted = this.#takeWanted();
      try {
        if (this.#isDoubtful) await this.#compare();
        await this.#giveBackSurplus();
        await this.#lease(wanted);
        if (this.#isAway) this.#options.log.warn({}, "the store answers for budgets again");
        this.#isAway = false;
        round.end(true);
      } catch (error) {
        // Whatever it was asked may have been done, and its answer lost.
        this.#isDoubtful = true;
        if (!this.#isAway) {
          this.#options.log.error({ err: error }, "the store does not answer for budgets");
        }
        this.#isAway = true;
        this.#returning.clear();
        round.end(false);
      }
      this.#isStuck = false;
    } while (this.#asking.size > 0 || this.#returning.size > 0);
    this.#isRunning = false;
  }

  /** Of the calls that are to be answered by this round. */
  #takeWanted(): readonly Wanted[] {
    const wanted = Array.from(this.#asking, (account) => ({
      account,
      amounts: account.waiting.splice(0),
    }));
    this.#asking.clear();
    return wanted;
  }

  async #lease(wanted: readonly Wanted[]): Promise<void> {
    if (wanted.length === 0) return;
    const { holder, source, nowMs, monotonicMs } = this.#options;
    const askedMs = monotonicMs();
    const asks = wanted.map(
      ({ account, amounts }) => [account, account.ask(amounts, askedMs)] as const,
    );
    const answers = await source.lease({ holder, atMs: nowMs(), asks: asks.map(([, ask]) => ask) });
    const answeredMs = monotonicMs();
    for (const [index, [account, ask]] of asks.entries()) {
      const answer = answers[index];
      if (answer !== undefined) account.answered(ask, answer, answeredMs);
    }
  }

  async #giveBackSurplus(): Promise<void> {
    const { holder, source, nowMs, monotonicMs } = this.#options;
    const returned: { account: WindowAccount; windowId: string; picos: Picos }[] = [];
    for (const account of this.#returning) {
      const amount = account.takeReturned(monotonicMs(), nowMs());
      if (amount > 0n) returned.push({ account, windowId: account.id, picos: amount });
    }
    this.#returning.clear();
    if (returned.length === 0) return;
    await source.giveBack(
      holder,
      returned.map(({ windowId, picos }) => ({ windowId, picos })),
    );
    for (const { account, picos } of returned) account.returned(picos);
  }

  /** Makes the leases here what they are in the store. */
  async #compare(): Promise<void> {
    const { holder, source, accounts, recall } = this.#options;
    const leases = await this.#readLeases();
    for (const account of accounts.values()) {
      account.compared(leases.get(account.id) ?? 0n);
      // Some of it may have been lent in an answer that was lost, and nobody knows under which limit.
      recall(account);
    }
    this.#isDoubtful = false;
    const unknown = [...leases].filter(([windowId]) => !accounts.has(windowId));
    if (unknown.length === 0) return;
    const amounts = unknown.map(([windowId, picos]) => ({ windowId, picos }));
    await source.giveBack(holder, amounts);
  }

  async #readLeases(): Promise<ReadonlyMap<string, Picos>> {
    const { holder, source } = this.#options;
    for (;;) {
      // Its failure is its own caller's to deal with.
      await this.#flushing?.catch(() => undefined);
      const flushes = this.#flushes;
      const leases = await source.leasesOf(holder);
      if (flushes === this.#flushes && this.#flushing === undefined) return leases;
    }
  }
}

function newRound(): Round {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  return { ended: promise, end: resolve };
}
