/**
 * Charges work that providers report later (see core/usage/deferred-usage.ts): every process looks after rows of pending
 * usage that are due, each row under a lease, so that no two do it at once; and what two of them did all the same is
 * charged once, because the store takes a row's charge once. A process that dies loses nothing: its leases run out.
 */
import type { EnvironmentId, IdFactory } from "../../core/ids/ids.ts";
import {
  CHECK_HORIZON_MS,
  isHopeless,
  nextCheckDelayMs,
} from "../../core/usage/deferred-schedule.ts";
import type { PendingProblem } from "../../core/usage/deferred-usage.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import type { PendingUsageRecord } from "../../store/records.ts";
import type { PendingLease, Store } from "../../store/store.ts";
import type { CallObserver } from "../../telemetry/call-observer.ts";
import type { Log } from "../../telemetry/log.ts";
import { AccountRests } from "./account-rests.ts";
import { type ChargeDeps, createChargeEvents } from "./charge-events.ts";
import { type Finding, findUsage, type FindUsageDeps } from "./find-usage.ts";
import { Turns } from "./turns.ts";

export interface UsageCollectorDeps extends FindUsageDeps, ChargeDeps {
  readonly store: Pick<Store, "pendingUsage" | "providerAccounts" | "environments">;
  readonly ids: IdFactory;
  readonly observer: Pick<CallObserver, "callEnded">;
  readonly log: Log;
  /** 0 inclusive to 1 exclusive. */
  readonly random: () => number;
  /** How often rows that are due are looked for. */
  readonly tickMs?: number;
  readonly leaseMs?: number;
}

export interface UsageCollector {
  /** Begins nothing any more, breaks off what is under way, and gives its rows back. */
  stop(): Promise<void>;
}

const DEFAULT_TICK_MS = 1_000;
/** A process that dies holds up its rows for this long; OpenAI keeps a background response for ten times as long. */
const DEFAULT_LEASE_MS = 60_000;
const RENEWALS_A_LEASE = 3;
/** Rows that a process looks after at once; each is a call to a provider. */
const MAX_ACTIVE = 16;
/** Batches among them: what 50,000 answers have consumed is 100 MB and more until it is in the store. */
const MAX_ACTIVE_BATCHES = 2;

export function startUsageCollector(deps: UsageCollectorDeps): UsageCollector {
  const collector = new Collector(deps);
  collector.schedule();
  return { stop: () => collector.stop() };
}

class Collector {
  readonly #deps: UsageCollectorDeps;
  readonly #leaseMs: number;
  readonly #stopping = new AbortController();
  readonly #active = new Set<Promise<void>>();
  readonly #batches = new Turns(MAX_ACTIVE_BATCHES);
  readonly #rests = new AccountRests();
  #timer: NodeJS.Timeout | undefined;
  #looking = Promise.resolve();
  #isStoreAway = false;

  constructor(deps: UsageCollectorDeps) {
    this.#deps = deps;
    this.#leaseMs = deps.leaseMs ?? DEFAULT_LEASE_MS;
  }

  schedule(): void {
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().finally(() => {
        if (!this.#stopping.signal.aborted) this.schedule();
      });
    }, this.#deps.tickMs ?? DEFAULT_TICK_MS);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the gateway stops"));
    clearTimeout(this.#timer);
    await this.#looking;
    await Promise.all(this.#active);
  }

  async #look(): Promise<void> {
    const { store, ids, nowMs, log } = this.#deps;
    const limit = MAX_ACTIVE - this.#active.size;
    if (limit <= 0) return;
    const leaseId = ids.create("lea");
    try {
      const rows = await store.pendingUsage.claim({
        leaseId,
        nowMs: nowMs(),
        leaseMs: this.#leaseMs,
        horizonMs: CHECK_HORIZON_MS,
        limit,
      });
      if (this.#isStoreAway) log.info({}, "pending usage can be read again");
      this.#isStoreAway = false;
      for (const row of rows) this.#start(row, { id: row.event.id, leaseId });
    } catch (err) {
      // Said once; what is pending stays where it is.
      if (!this.#isStoreAway) log.error({ err }, "pending usage cannot be read");
      this.#isStoreAway = true;
    }
  }

  #start(row: PendingUsageRecord, lease: PendingLease): void {
    const { log } = this.#deps;
    const work = this.#lookAfter(row, lease).catch((err: unknown) => {
      // The store is away. The row is looked after again when its lease has run out.
      log.error({ err, pendingUsage: lease.id }, "pending usage could not be kept up to date");
    });
    this.#active.add(work);
    void work.finally(() => this.#active.delete(work));
  }

  async #lookAfter(row: PendingUsageRecord, lease: PendingLease): Promise<void> {
    const { log } = this.#deps;
    const lost = new AbortController();
    const signal = AbortSignal.any([this.#stopping.signal, lost.signal]);
    const heartbeat = setInterval(() => {
      void this.#renew(lease, lost);
    }, this.#leaseMs / RENEWALS_A_LEASE);
    try {
      const work = () => this.#ask(row, lease, signal);
      await (row.work.kind === "batch" ? this.#batches.run(work) : work());
    } catch (err) {
      log.error({ err, pendingUsage: lease.id }, "pending usage could not be charged");
      await this.#wait(row, lease, INTERNAL);
    } finally {
      clearInterval(heartbeat);
    }
  }

  async #ask(row: PendingUsageRecord, lease: PendingLease, signal: AbortSignal): Promise<void> {
    const finding = await this.#find(row, signal);
    if (finding.kind === "ended") await this.#charge(row, lease, finding);
    else if (signal.aborted) await this.#deps.store.pendingUsage.release(lease);
    else await this.#wait(row, lease, finding);
  }

  async #renew(lease: PendingLease, lost: AbortController): Promise<void> {
    const { store, nowMs, log } = this.#deps;
    try {
      const isHeld = await store.pendingUsage.renew(lease, nowMs() + this.#leaseMs);
      if (!isHeld) lost.abort(new Error("the lease is another's"));
    } catch (err) {
      // The next beat tries again; until the lease has run out it is held all the same.
      log.warn({ err, pendingUsage: lease.id }, "a lease could not be renewed");
    }
  }

  async #find(row: PendingUsageRecord, signal: AbortSignal): Promise<Finding> {
    if (row.report !== null) {
      return { kind: "ended", charges: [{ ...row.report, responseId: null }] };
    }
    const { providerAccountId: accountId } = row.event;
    const { nowMs } = this.#deps;
    const rest = this.#rests.restOf(accountId, nowMs());
    if (rest !== undefined) return { kind: "waiting", ...rest };
    const finding = await findUsage(this.#deps, row, signal);
    if (finding.kind === "waiting" && !signal.aborted) {
      this.#rests.note(accountId, finding, nowMs());
    }
    return finding;
  }

  async #charge(
    row: PendingUsageRecord,
    lease: PendingLease,
    { charges }: Extract<Finding, { kind: "ended" }>,
  ): Promise<void> {
    const { store, nowMs, log } = this.#deps;
    const events = await createChargeEvents(this.#deps, row, { charges, atMs: nowMs() });
    if (!(await store.pendingUsage.settle(lease, events))) return;
    const { kind, objectId } = row.work;
    const { requestId } = row.event;
    log.info({ requestId, kind, objectId, events: events.length }, "pending usage was charged");
    await this.#report(events);
  }

  async #report(events: readonly UsageEvent[]): Promise<void> {
    const { observer } = this.#deps;
    for (const event of events) {
      const environment = await this.#nameOf(event.environmentId);
      observer.callEnded({ event, environment, ending: "whole", origin: null, trace: undefined });
    }
  }

  readonly #names = new Map<EnvironmentId, string>();

  async #nameOf(id: EnvironmentId): Promise<string> {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const name = (await this.#deps.store.environments.findById(id))?.name ?? "";
    this.#names.set(id, name);
    return name;
  }

  async #wait(
    row: PendingUsageRecord,
    lease: PendingLease,
    finding: Extract<Finding, { kind: "waiting" }>,
  ): Promise<void> {
    const { store, nowMs, random, log } = this.#deps;
    const { kind, objectId } = row.work;
    const { problem, retryAfterMs, cause } = finding;
    const checkedAtMs = nowMs();
    const checks = row.checks + 1;
    const named = { requestId: row.event.requestId, kind, objectId, problem, checks };
    if (isHopeless(kind, { checks, problem, ageMs: checkedAtMs - row.createdAtMs })) {
      const isGiven = await store.pendingUsage.giveUp(lease, { checkedAtMs, problem });
      if (isGiven) log.error(named, "usage that is still to be charged was given up");
      return;
    }
    const delayMs = nextCheckDelayMs(kind, { checks, retryAfterMs, random: random() });
    if (problem !== "not_finished" && problem !== row.problem) {
      log.warn({ ...named, err: cause, delayMs }, "a provider did not say what work has consumed");
    }
    await store.pendingUsage.postpone(lease, {
      checkedAtMs,
      problem,
      nextCheckAtMs: checkedAtMs + delayMs,
    });
  }
}

const INTERNAL = {
  kind: "waiting",
  problem: "internal" satisfies PendingProblem,
  retryAfterMs: undefined,
} as const;
