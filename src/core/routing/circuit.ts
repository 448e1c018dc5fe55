/** When a circuit opens, and how long it stays open. */
export interface CircuitRule {
  /** Failures in a row that open it; 0 = it never opens. */
  readonly consecutiveFailures: number;
  /** Share of failures among the calls of one window that opens it, 0 to 1. */
  readonly failureRatio: number;
  /** Fewer calls in a window than these say nothing about its ratio. */
  readonly minCalls: number;
  readonly windowMs: number;
  /** How long it stays open the first time; doubled with each probe that fails. */
  readonly firstOpenMs: number;
  readonly maxOpenMs: number;
  /** A probe that has said nothing for so long makes room for another one. */
  readonly probeMs: number;
}

export const DEFAULT_CIRCUIT_RULE: CircuitRule = {
  consecutiveFailures: 5,
  failureRatio: 0.5,
  minCalls: 20,
  windowMs: 10_000,
  firstOpenMs: 1_000,
  maxOpenMs: 30_000,
  probeMs: 30_000,
};

/** `half-open`: it has been open long enough, and the next call is the one that tries. */
export type CircuitPhase = "closed" | "open" | "half-open";

/** What a call holds while it is under way: under which turn of the circuit it was let through. */
export type CircuitTicket = number;

/**
 * The circuit breaker of one way to a provider. It counts the calls that were let through, and lets none through for
 * a while after too many have failed; then exactly one, whose outcome decides. It has no clock: every question brings
 * the time, in milliseconds that never run backwards.
 */
export class Circuit {
  readonly #rule: CircuitRule;
  /** Counts how often it has opened, closed or sent a probe: an outcome from an earlier turn decides nothing any more. */
  #turn: CircuitTicket = 0;
  #isClosed = true;
  #openUntilMs = 0;
  #openMs = 0;
  /** Infinity = no probe is under way. */
  #probeUntilMs = Number.POSITIVE_INFINITY;
  #isProbing = false;
  #failuresInARow = 0;
  #windowUntilMs = 0;
  #windowCalls = 0;
  #windowFailures = 0;

  constructor(rule: CircuitRule) {
    this.#rule = rule;
  }

  phase(nowMs: number): CircuitPhase {
    if (this.#isClosed) return "closed";
    if (this.#isProbing) return nowMs < this.#probeUntilMs ? "open" : "half-open";
    return nowMs < this.#openUntilMs ? "open" : "half-open";
  }

  /** When the next call may be let through; now or earlier while `phase` is not `open`. */
  opensAgainAtMs(): number {
    if (this.#isClosed) return 0;
    return this.#isProbing ? this.#probeUntilMs : this.#openUntilMs;
  }

  /** Lets a call through, as the probe where the circuit is half-open. Ask `phase` first: not while it is `open`. */
  enter(nowMs: number): CircuitTicket {
    if (this.#isClosed) return this.#turn;
    this.#isProbing = true;
    this.#probeUntilMs = nowMs + this.#rule.probeMs;
    this.#turn += 1;
    return this.#turn;
  }

  succeeded(ticket: CircuitTicket, nowMs: number): void {
    if (ticket !== this.#turn) return;
    if (!this.#isClosed) {
      this.#close();
      return;
    }
    this.#failuresInARow = 0;
    this.#count(nowMs, 0);
  }

  failed(ticket: CircuitTicket, nowMs: number): void {
    if (ticket !== this.#turn || this.#rule.consecutiveFailures === 0) return;
    if (!this.#isClosed) {
      this.#open(nowMs, Math.min(this.#openMs * 2, this.#rule.maxOpenMs));
      return;
    }
    this.#failuresInARow += 1;
    this.#count(nowMs, 1);
    if (this.#failuresInARow >= this.#rule.consecutiveFailures || this.#isRatioReached()) {
      this.#open(nowMs, this.#rule.firstOpenMs);
    }
  }

  /** The call told nothing of the provider (its client went away, say): a probe makes room for the next one. */
  left(ticket: CircuitTicket): void {
    if (ticket !== this.#turn || this.#isClosed) return;
    this.#isProbing = false;
    this.#turn += 1;
  }

  #open(nowMs: number, openMs: number): void {
    this.#isClosed = false;
    this.#isProbing = false;
    this.#openMs = openMs;
    this.#openUntilMs = nowMs + openMs;
    this.#turn += 1;
  }

  #close(): void {
    this.#isClosed = true;
    this.#isProbing = false;
    this.#failuresInARow = 0;
    this.#windowUntilMs = 0;
    this.#turn += 1;
  }

  #count(nowMs: number, failures: 0 | 1): void {
    if (nowMs >= this.#windowUntilMs) {
      this.#windowUntilMs = nowMs + this.#rule.windowMs;
      this.#windowCalls = 0;
      this.#windowFailures = 0;
    }
    this.#windowCalls += 1;
    this.#windowFailures += failures;
  }

  #isRatioReached(): boolean {
    const { minCalls, failureRatio } = this.#rule;
    return (
      this.#windowCalls >= minCalls && this.#windowFailures >= failureRatio * this.#windowCalls
    );
  }
}
