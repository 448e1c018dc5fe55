import type { IdFactory } from "../../core/ids/ids.ts";
import type { AllowedHosts } from "../../core/network/allowed-hosts.ts";
import type { Store } from "../../store/store.ts";
import type { CallObserver } from "../../telemetry/call-observer.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Vault } from "../../vault/vault.ts";
import type { AccountLimitSource } from "./account-limit-findings.ts";
import { AlertEvaluator, LOCAL_KINDS } from "./alert-evaluator.ts";
import { type AlertSenders, createAlertSenders } from "./alert-senders.ts";
import type { BudgetUsageSource } from "./budget-findings.ts";
import { ensureDefaultRules } from "./default-rules.ts";
import { AlertDelivery } from "./delivery-loop.ts";
import { ProviderKeyWatch, type ProviderKeyWatchDeps } from "./provider-key-watch.ts";

export interface AlertsDeps extends ProviderKeyWatchDeps {
  readonly store: Store;
  readonly vault: Pick<Vault, "open">;
  readonly ids: Pick<IdFactory, "create">;
  readonly allowedHosts: AllowedHosts;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly budgets?: BudgetUsageSource | undefined;
  readonly accountLimits?: AccountLimitSource | undefined;
  /** How often something is looked at. */
  readonly tickMs?: number;
}

export interface Alerts {
  /** To be told of the calls of this process. */
  readonly observer: CallObserver;
  readonly senders: Pick<AlertSenders, "send">;
  /** Begins to look and to deliver. */
  start(): void;
  /** Breaks off what is being sent: it is sent again by whoever comes next. */
  stop(): Promise<void>;
}

const DEFAULT_TICK_MS = 5_000;
/** What only one process looks at. It keeps the lease from tick to tick, so that it is the same one. */
const EVALUATOR = "evaluator";
const EVALUATOR_LEASE_MS = 60_000;
/** Uses of provider keys are kept to the minute. */
const TICKS_A_NOTE = 12;
/** Rules over the whole store are looked at every third tick. */
const TICKS_AN_EVALUATION = 3;

export function createAlerts(deps: AlertsDeps): Alerts {
  const { store, ids, log, nowMs } = deps;
  const watch = new ProviderKeyWatch(deps);
  const senders = createAlertSenders(deps);
  const delivery = new AlertDelivery({ ...deps, senders });
  const evaluator = new AlertEvaluator({
    store,
    ids,
    log,
    nowMs,
    troubleOf: (key, failingForMs) => watch.troubleOf(key, failingForMs),
    budgets: deps.budgets,
    accountLimits: deps.accountLimits,
  });
  const loop = new AlertLoop(deps, { watch, delivery, evaluator });
  return {
    observer: watch.observer,
    senders,
    start: () => loop.schedule(),
    stop: async () => {
      await loop.stop();
      await delivery.stop();
      await loop.release();
      await senders.close();
    },
  };
}

class AlertLoop {
  readonly #deps: AlertsDeps;
  readonly #parts: {
    readonly watch: ProviderKeyWatch;
    readonly delivery: AlertDelivery;
    readonly evaluator: AlertEvaluator;
  };
  readonly #leaseId;
  #timer: NodeJS.Timeout | undefined;
  #working = Promise.resolve();
  #isStopped = false;
  #isStoreAway = false;
  #hasRules = false;
  #ticks = 0;

  constructor(
    deps: AlertsDeps,
    parts: {
      readonly watch: ProviderKeyWatch;
      readonly delivery: AlertDelivery;
      readonly evaluator: AlertEvaluator;
    },
  ) {
    this.#deps = deps;
    this.#parts = parts;
    this.#leaseId = deps.ids.create("lea");
  }

  schedule(): void {
    this.#timer = setTimeout(() => {
      this.#working = this.#tick().finally(() => {
        if (!this.#isStopped) this.schedule();
      });
    }, this.#deps.tickMs ?? DEFAULT_TICK_MS);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#working;
  }

  /** So that another process need not wait until the lease has run out. */
  async release(): Promise<void> {
    try {
      await this.#deps.store.alerts.leases.release(EVALUATOR, this.#leaseId);
    } catch (err) {
      this.#deps.log.warn({ err }, "the alerts' lease could not be given back: it runs out");
    }
  }

  async #tick(): Promise<void> {
    const { log } = this.#deps;
    try {
      await this.#work();
      if (this.#isStoreAway) log.info({}, "alerts are looked after again");
      this.#isStoreAway = false;
    } catch (err) {
      // Said once; what is to be delivered stays where it is, and what fires does so when the store is back.
      if (!this.#isStoreAway) log.error({ err }, "alerts cannot be looked after");
      this.#isStoreAway = true;
    }
  }

  async #work(): Promise<void> {
    const { evaluator, delivery } = this.#parts;
    if (!this.#hasRules) await this.#makeRules();
    this.#hasRules = true;
    if (this.#ticks % TICKS_A_NOTE === 0) await this.#noteUses();
    await evaluator.evaluate((kind) => LOCAL_KINDS.includes(kind));
    const isTurn = this.#ticks % TICKS_AN_EVALUATION === 0;
    this.#ticks += 1;
    if (isTurn && (await this.#isEvaluator())) {
      await evaluator.evaluate((kind) => !LOCAL_KINDS.includes(kind));
    }
    if (!this.#isStopped) await delivery.look();
  }

  async #makeRules(): Promise<void> {
    const made = await ensureDefaultRules(this.#deps);
    if (made.length === 0) return;
    const kinds = made.map(({ condition }) => condition.kind);
    this.#deps.log.info({ kinds }, "alerts have rules of these kinds from now on");
  }

  async #isEvaluator(): Promise<boolean> {
    const lease = { leaseId: this.#leaseId, leaseMs: EVALUATOR_LEASE_MS };
    return await this.#deps.store.alerts.leases.take(EVALUATOR, lease);
  }

  async #noteUses(): Promise<void> {
    const { watch } = this.#parts;
    const uses = watch.takeUses();
    try {
      await this.#deps.store.alerts.providerKeyUses.note(uses);
    } catch (err) {
      watch.restore(uses);
      throw err;
    }
  }
}
