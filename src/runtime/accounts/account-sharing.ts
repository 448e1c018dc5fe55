/**
 * Has the processes on one store keep one view of provider accounts' own limits. Each tells what it was told and what it
 * takes, and is granted a part of what is left; no call waits for that but one for which nothing was granted yet. A
 * process that is alone tells nobody anything.
 */
import type { ProcessId, ProviderAccountId } from "../../core/ids/ids.ts";
import { shiftGauge } from "../../core/limits/account-gauge.ts";
import {
  type AccountView,
  type AccountViewKey,
  type Exchanged,
  exchangeView,
  othersOf,
  type SharedRest,
  type ViewNews,
  withRests,
} from "../../core/limits/account-view.ts";
import { SILENT_AFTER_MS } from "../../core/processes/heartbeat.ts";
import { storableText } from "../../core/text/storable-text.ts";
import type { AccountGate, SharedLane } from "../../proxy/account-gate.ts";
import type { LaneTidings } from "../../proxy/account-lane.ts";
import { neededTokens } from "../../proxy/lane-turn.ts";
import type { AccountRest, RouteHealth } from "../../proxy/route-health.ts";
import {
  type AccountViewRepository,
  MAX_CHANGED_VIEWS,
  type ViewCursor,
} from "../../store/account-view-repository.ts";
import type { ProcessRecord } from "../../store/records.ts";
import type { Log } from "../../telemetry/log.ts";
import { withinDeadline } from "../within-deadline.ts";

export interface AccountSharingDeps {
  readonly views: AccountViewRepository;
  readonly processes: {
    listRunning(): Promise<readonly Pick<ProcessRecord, "id" | "silentForMs">[]>;
  };
  readonly gate: AccountGate;
  readonly routeHealth: Pick<RouteHealth, "onAccountRest" | "hearRest">;
  readonly processId: ProcessId;
  /** The clock of the gate: it never jumps. */
  readonly monotonicMs: () => number;
  readonly log: Pick<Log, "info" | "warn">;
}

/** A clock that was read twice, with the store's in between: how far the two are apart lies between these. */
interface Between {
  /** By which an instant comes no sooner than it is, whichever way it is carried over. */
  readonly laterMs: number;
  readonly soonerMs: number;
}

const TICK_MS = 250;
/** All processes together tell their news this often at most: each takes its turn, the more there are the more seldom. */
const MIN_GAP_MS = 25;
/** How often a process that was alone looks whether it still is. */
const COUNT_MS = 2_000;
const RETRY_MS = 1_000;
const ANSWER_DEADLINE_MS = 1_000;
/** What a process that starts has to know. */
const FRESH_MS = 5 * 60_000;
const MAX_READ = 500;
const CLEANING_MS = 10 * 60_000;
/** Longer than any view is used without being changed. */
const OLD_AFTER_MS = 60 * 60_000;
const MAX_REMOVED = 500;
const MAX_RESTS = 1_000;
const MAX_LANES_A_TRIP = 64;

export class AccountSharing {
  readonly #deps: AccountSharingDeps;
  #rests: { readonly accountId: ProviderAccountId; readonly rest: SharedRest }[] = [];
  #cursor: ViewCursor | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #running: Promise<void> | undefined;
  #startedAtMs = Number.NEGATIVE_INFINITY;
  #countedAtMs = Number.NEGATIVE_INFINITY;
  #cleanedAtMs: number;
  #isStopped = false;

  constructor(deps: AccountSharingDeps) {
    this.#deps = deps;
    this.#cleanedAtMs = deps.monotonicMs();
    deps.gate.onNeed(() => this.#ask());
    deps.routeHealth.onAccountRest((accountId, rest) => this.#note(accountId, rest));
  }

  /** Begins to look whether it is alone, and to tell and hear if it is not. */
  start(): void {
    this.#schedule(0);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Tells and hears now; what is under way counts. Never rejects. */
  round(): Promise<void> {
    this.#running ??= this.#round().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #round(): Promise<void> {
    const { gate, log } = this.#deps;
    const { peers } = gate;
    this.#startedAtMs = this.#deps.monotonicMs();
    try {
      if (peers.count <= 1 && !peers.isAway && !(await this.#hasCompany())) return;
      await this.#tell();
      await this.#hear();
      await this.#clean();
      if (peers.isAway) log.info({}, "accounts' limits are known to all processes together again");
      peers.isAway = false;
    } catch (err) {
      // Recovered from: it is counted again soon, and the change poller says that the store is away.
      if (peers.count <= 1) return;
      if (!peers.isAway)
        log.warn(
          { err, processes: peers.count },
          "the store does not answer: accounts' limits are known to this process alone",
        );
      peers.isAway = true;
    }
  }

  /** Whether other processes run, as far as that was looked at lately. */
  async #hasCompany(): Promise<boolean> {
    const { gate, processes, monotonicMs } = this.#deps;
    const nowMs = monotonicMs();
    const isFirst = this.#countedAtMs === Number.NEGATIVE_INFINITY;
    if (!isFirst && (gate.isUnused || nowMs - this.#countedAtMs < COUNT_MS)) return false;
    this.#countedAtMs = nowMs;
    const running = await withinDeadline(ANSWER_DEADLINE_MS, processes.listRunning());
    const heard = running.filter(({ silentForMs }) => silentForMs < SILENT_AFTER_MS);
    this.#setCount(new Set(heard.map(({ id }) => id)));
    return gate.peers.count > 1;
  }

  #setCount(running: ReadonlySet<string>): void {
    const { gate, processId } = this.#deps;
    // Also where this one was taken for dead: it goes on.
    gate.peers.count = new Set([...running, processId]).size;
  }

  async #tell(): Promise<void> {
    let news = this.#deps.gate.listNews();
    while (news.length > 0 || this.#rests.length > 0) {
      const lanes = news.slice(0, MAX_LANES_A_TRIP);
      const rests = this.#rests.splice(0, MAX_CHANGED_VIEWS - MAX_LANES_A_TRIP);
      news = news.slice(MAX_LANES_A_TRIP);
      try {
        await this.#exchange(lanes, rests);
      } catch (err) {
        for (const { account } of lanes) account.share.note();
        this.#rests.unshift(...rests);
        throw err;
      }
    }
  }

  async #exchange(
    lanes: readonly SharedLane[],
    rests: readonly { readonly accountId: ProviderAccountId; readonly rest: SharedRest }[],
  ): Promise<void> {
    const { gate, views, monotonicMs } = this.#deps;
    const accounts = [...new Set(rests.map(({ accountId }) => accountId))];
    const keys: AccountViewKey[] = [
      ...lanes.map(({ owner }) => keyOf(owner)),
      ...accounts.map((accountId) => ({ accountId, model: "" })),
    ];
    const sentAtMs = monotonicMs();
    let exchanged: readonly (Exchanged & { readonly version: number })[] = [];
    let between: Between = { laterMs: 0, soonerMs: 0 };
    let isLate = false;
    const change = views.change(keys, (found, moment) => {
      // Thrown, so that what was decided does not come to stand behind this process's back.
      if (isLate) throw new Error("the store has answered too late");
      const nowMs = monotonicMs();
      between = { laterMs: moment.nowMs - sentAtMs, soonerMs: moment.nowMs - nowMs };
      exchanged = lanes.map((lane, index) => {
        const { news, version } = this.#newsOf(lane, between, nowMs);
        return { ...exchangeView(viewAt(found, index), news, moment), version };
      });
      for (const [index, { granted }] of exchanged.entries()) {
        lanes[index]?.account.share.decided(granted);
      }
      this.#setCount(moment.runningProcesses);
      const rested = accounts.map((accountId, index) => {
        const ofAccount = rests.filter((one) => one.accountId === accountId);
        const news = ofAccount.map(({ rest }) => ({
          ...rest,
          untilMs: rest.untilMs + between.laterMs,
        }));
        return withRests(viewAt(found, lanes.length + index), news, moment);
      });
      return [...exchanged.map(({ view }) => view), ...rested];
    });
    try {
      await withinDeadline(ANSWER_DEADLINE_MS, change);
    } finally {
      isLate = true;
    }
    for (const [index, { view, granted, others, version }] of exchanged.entries()) {
      const lane = lanes[index];
      if (lane === undefined) continue;
      const nowMs = monotonicMs();
      lane.account.published(version);
      lane.account.share.granted(granted, nowMs);
      lane.account.hear(tidingsOf(view, between), nowMs);
      lane.account.share.hearOthers(others);
      gate.recheck(lane.owner);
    }
  }

  #newsOf(lane: SharedLane, between: Between, nowMs: number) {
    const { account, queue } = lane;
    const { version, ...known } = account.news(nowMs);
    const doubtMs = between.laterMs - between.soonerMs;
    const news: ViewNews = {
      processId: this.#deps.processId,
      requests: known.requests && shiftGauge(known.requests, between.laterMs, doubtMs),
      tokens: known.tokens && shiftGauge(known.tokens, between.laterMs, doubtMs),
      countedBeforeMs: Math.max(0, known.countedBeforeMs + between.soonerMs),
      closedUntilMs: Math.max(0, known.closedUntilMs + between.laterMs),
      onTheirWay: known.onTheirWay,
      waiting: queue.waiting(),
      firstTokens: neededTokens(lane, nowMs),
      kind: account.share.kind(nowMs),
      isIdle: account.share.isIdle(nowMs),
    };
    return { news, version };
  }

  async #hear(): Promise<void> {
    const { views, gate, routeHealth, processId, monotonicMs } = this.#deps;
    const request = { cursor: this.#cursor, freshMs: FRESH_MS, limit: MAX_READ };
    const sentAtMs = monotonicMs();
    const changed = await withinDeadline(ANSWER_DEADLINE_MS, views.listChanged(request));
    const nowMs = monotonicMs();
    const { moment } = changed;
    const between = { laterMs: moment.nowMs - sentAtMs, soonerMs: moment.nowMs - nowMs };
    this.#cursor = changed.cursor;
    this.#setCount(moment.runningProcesses);
    for (const view of changed.views) {
      const { accountId, model } = view;
      if (model === "") {
        for (const { untilMs, ...rest } of view.rests) {
          const forMs = untilMs - moment.nowMs;
          if (forMs > 0) routeHealth.hearRest(accountId, { ...rest, forMs });
        }
        continue;
      }
      const lane = gate.laneOf({ accountId, model });
      if (lane === undefined) continue;
      lane.account.hear(tidingsOf(view, between), nowMs);
      lane.account.share.hearOthers(othersOf(view, processId, moment));
      gate.recheck(lane.owner);
    }
  }

  async #clean(): Promise<void> {
    const nowMs = this.#deps.monotonicMs();
    if (nowMs - this.#cleanedAtMs < CLEANING_MS) return;
    this.#cleanedAtMs = nowMs;
    await this.#deps.views.removeOld(OLD_AFTER_MS, MAX_REMOVED);
  }

  #note(accountId: ProviderAccountId, { forMs, ...rest }: AccountRest): void {
    if (this.#deps.gate.peers.count <= 1 || this.#rests.length >= MAX_RESTS) return;
    const untilMs = this.#deps.monotonicMs() + forMs;
    this.#rests.push({ accountId, rest: { ...rest, untilMs } });
    this.#ask();
  }

  /** A call waits for it, or others must know at once. */
  #ask(): void {
    const { peers } = this.#deps.gate;
    if (peers.isAway) return;
    const readyAtMs = this.#startedAtMs + MIN_GAP_MS * peers.count;
    this.#schedule(Math.max(0, readyAtMs - this.#deps.monotonicMs()));
  }

  #schedule(inMs: number): void {
    if (this.#isStopped) return;
    const atMs = this.#deps.monotonicMs() + inMs;
    if (atMs >= this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    this.#timer = setTimeout(() => {
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      // What is under way may have begun before what is to be told was there.
      void Promise.resolve(this.#running)
        .then(() => this.round())
        .then(() => this.#schedule(this.#pauseMs()));
    }, inMs);
  }

  #pauseMs(): number {
    const { isAway, count } = this.#deps.gate.peers;
    return isAway ? RETRY_MS : Math.max(TICK_MS, MIN_GAP_MS * count);
  }
}

/** Text that the databases would not take is no model's name. */
function keyOf({ accountId, model }: AccountViewKey): AccountViewKey {
  return { accountId, model: storableText(model) };
}

function viewAt(views: readonly AccountView[], index: number): AccountView {
  const view = views[index];
  if (view === undefined) throw new Error("a view was not read");
  return view;
}

/** By this process's clock: refills and ends of windows come no sooner than they are. */
function tidingsOf(view: AccountView, { laterMs, soonerMs }: Between): LaneTidings {
  const { requests, tokens } = view;
  return {
    requests: requests && shiftGauge(requests, -soonerMs, laterMs - soonerMs),
    tokens: tokens && shiftGauge(tokens, -soonerMs, laterMs - soonerMs),
    countedBeforeMs: view.countedBeforeMs - laterMs,
    closedUntilMs: view.closedUntilMs - soonerMs,
  };
}
