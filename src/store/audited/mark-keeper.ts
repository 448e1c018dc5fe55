import type { AuditHash } from "../../core/audit/audit-entry.ts";
import { type AuditMark, createMark, problemByMark } from "../../core/audit/audit-mark.ts";
import type { AuditRepository } from "../audit-repository.ts";
import type { MarkCheck } from "../audited-store.ts";

/** Where a mark of the audit log is kept: not in the log's database. */
export interface AuditMarkPlace {
  /** Undefined when there is none yet. */
  read(): Promise<AuditMark | undefined>;
  write(mark: AuditMark): Promise<void>;
  /** Told when the mark can't be moved on. What it was about is done. */
  readonly onFault: (error: unknown) => void;
}

interface MarkKeeperDeps {
  readonly audit: AuditRepository;
  readonly hash: AuditHash;
  /** Undefined where none is kept. */
  readonly place: AuditMarkPlace | undefined;
}

/** Moves the mark on with the log, and never past an end that isn't the one it knows. */
export class MarkKeeper {
  readonly #audit: AuditRepository;
  readonly #hash: AuditHash;
  readonly #place: AuditMarkPlace | undefined;
  #moving: Promise<void> | undefined;
  #isDueAgain = false;

  constructor({ audit, hash, place }: MarkKeeperDeps) {
    this.#audit = audit;
    this.#hash = hash;
    this.#place = place;
  }

  async check(): Promise<MarkCheck> {
    // First: what the database has afterwards is at least what it had when the mark was made.
    const mark = await this.#place?.read();
    if (mark === undefined) return { mark: undefined, problem: undefined };
    const head = await this.#audit.findHead();
    const entry = await this.#audit.findBySequence(mark.sequence);
    const { sequence, hash } = mark;
    return { mark: { sequence, hash }, problem: problemByMark(mark, { head, entry }, this.#hash) };
  }

  /** After an entry was committed. Never throws; those that come together share the work. */
  async moveOn(): Promise<void> {
    if (this.#place === undefined) return;
    if (this.#moving !== undefined) this.#isDueAgain = true;
    this.#moving ??= this.#moveOnWhileDue(this.#place);
    await this.#moving;
  }

  async #moveOnWhileDue(place: AuditMarkPlace): Promise<void> {
    try {
      do {
        this.#isDueAgain = false;
        const { mark, problem } = await this.check();
        if (problem === undefined) await this.#put(place, mark?.sequence ?? 0);
      } while (this.#isDueAgain);
    } catch (error) {
      place.onFault(error);
    } finally {
      this.#moving = undefined;
    }
  }

  /** Takes the log as it is, whatever was known of it. */
  async startOver(): Promise<void> {
    if (this.#place !== undefined) await this.#put(this.#place, -1);
  }

  /**
   * Of two processes that move it at once, the later one may put it back by what the other has just written: until the
   * next one moves it.
   */
  async #put(place: AuditMarkPlace, knownUpTo: number): Promise<void> {
    const head = await this.#audit.findHead();
    if (head !== undefined && head.sequence > knownUpTo) {
      await place.write(createMark(head, this.#hash));
    }
  }
}
