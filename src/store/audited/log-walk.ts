import type { AuditHash } from "../../core/audit/audit-entry.ts";
import { type ChainProblem, ChainVerifier } from "../../core/audit/verify-chain.ts";
import type { AuditRepository } from "../audit-repository.ts";
import { verifyLog } from "./verify-log.ts";

/** Entries of a step: read and hashed in a few milliseconds, on the event loop that also serves calls. */
const STEP_SIZE = 500;

/**
 * Reads the log over and over, a little at a time, so that an entry that was altered, removed or moved is found without
 * anybody asking.
 */
export class LogWalk {
  readonly #audit: AuditRepository;
  readonly #hash: AuditHash;
  readonly #stepSize: number;
  #verifier: ChainVerifier;
  #found: ChainProblem | undefined;
  #stepping: Promise<void> | undefined;

  constructor(audit: AuditRepository, hash: AuditHash, stepSize = STEP_SIZE) {
    this.#audit = audit;
    this.#hash = hash;
    this.#stepSize = stepSize;
    this.#verifier = new ChainVerifier(hash);
  }

  /** What is wrong with the log, as far as it was read; until it was read to its end without finding it again. */
  get found(): ChainProblem | undefined {
    return this.#found;
  }

  /** Two at once are one. */
  async step(): Promise<void> {
    this.#stepping ??= this.#goOn().finally(() => {
      this.#stepping = undefined;
    });
    await this.#stepping;
  }

  async #goOn(): Promise<void> {
    // Before the entries: what is added meanwhile comes after it.
    const head = await this.#audit.findHead();
    // The log was set back under the walk's feet, which the mark tells of: what is there now has a beginning, too.
    if ((head?.sequence ?? 0) < this.#verifier.last.sequence) this.#startOver();
    const verifier = this.#verifier;
    const page = await this.#audit.listFrom(verifier.last.sequence + 1, this.#stepSize);
    for (const entry of page) {
      if (head !== undefined && entry.sequence > head.sequence) break;
      if (verifier.accept(entry) !== undefined) return await this.#readWhole();
    }
    if (page.length === this.#stepSize && verifier.last.sequence !== head?.sequence) return;
    if (verifier.end(head) !== undefined) return await this.#readWhole();
    this.#found = undefined;
    this.#startOver();
  }

  /** What was read in steps may have been put in another's place between two of them: one reading says what is so. */
  async #readWhole(): Promise<void> {
    this.#startOver();
    this.#found = (await verifyLog(this.#audit, this.#verifier)).problem;
    this.#startOver();
  }

  #startOver(): void {
    this.#verifier = new ChainVerifier(this.#hash);
  }
}
