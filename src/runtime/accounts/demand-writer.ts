/**
 * Writes how much is asked of provider accounts, as the gate has counted it, so that all processes on one store have one
 * figure. Calls never wait for it.
 */
import { type AccountDemand, addDemand } from "../../core/limits/account-demand.ts";
import { storableText } from "../../core/text/storable-text.ts";
import type { AccountGate, OwnedDemand } from "../../proxy/account-gate.ts";
import {
  type AccountDemandRepository,
  MAX_ADDED_DEMANDS,
} from "../../store/account-demand-repository.ts";
import type { Log } from "../../telemetry/log.ts";

export interface DemandWriterDeps {
  readonly gate: Pick<AccountGate, "takeDemand" | "giveBackDemand">;
  readonly demands: Pick<AccountDemandRepository, "add" | "removeOld">;
  readonly monotonicMs: () => number;
  readonly log: Pick<Log, "info" | "warn">;
}

const WRITE_MS = 15_000;
const CLEANING_MS = 60_000;
/** Of each kind; where more is old, the rest goes the next time. */
const MAX_REMOVED = 1_000;

export class DemandWriter {
  readonly #deps: DemandWriterDeps;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #cleanedAtMs: number;
  #isAway = false;

  constructor(deps: DemandWriterDeps) {
    this.#deps = deps;
    this.#cleanedAtMs = deps.monotonicMs();
  }

  start(): void {
    this.#timer = setInterval(() => void this.write(), WRITE_MS);
  }

  /** Writes what is left. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    // What is under way may have begun before the last call came.
    await this.#running;
    await this.write();
  }

  /** Writes what was counted since; what is under way counts. Never rejects: what could not be written is kept. */
  write(): Promise<void> {
    this.#running ??= this.#write().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #write(): Promise<void> {
    const { gate, demands, log } = this.#deps;
    let taken: readonly OwnedDemand[] = [];
    try {
      do {
        taken = gate.takeDemand(MAX_ADDED_DEMANDS);
        await demands.add(toDemands(taken));
      } while (taken.length === MAX_ADDED_DEMANDS);
      taken = [];
      await this.#clean();
      if (this.#isAway) log.info({}, "the figures of provider accounts are written again");
      this.#isAway = false;
    } catch (err) {
      // Recovered from: the next time writes it. Where the database has taken it and could not say so, it counts twice.
      gate.giveBackDemand(taken);
      if (!this.#isAway) {
        log.warn(
          { err },
          "the figures of provider accounts could not be written; two hours are kept",
        );
      }
      this.#isAway = true;
    }
  }

  async #clean(): Promise<void> {
    const nowMs = this.#deps.monotonicMs();
    if (nowMs - this.#cleanedAtMs < CLEANING_MS) return;
    this.#cleanedAtMs = nowMs;
    await this.#deps.demands.removeOld(MAX_REMOVED);
  }
}

/** One for each model as it can be stored: two names that differ in what no database takes are one there. */
function toDemands(taken: readonly OwnedDemand[]): readonly AccountDemand[] {
  const demands = new Map<string, AccountDemand>();
  for (const { owner, demand, requestLimit, tokenLimit } of taken) {
    const model = storableText(owner.model);
    const key = JSON.stringify([owner.accountId, model, demand.minuteMs]);
    const same = demands.get(key);
    const counts = same === undefined ? demand : addDemand(same, demand);
    const { accountId } = owner;
    const { minuteMs } = demand;
    demands.set(key, { accountId, model, minuteMs, ...counts, requestLimit, tokenLimit });
  }
  return [...demands.values()];
}
