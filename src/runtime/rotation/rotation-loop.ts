import type { IdFactory, LeaseId, ProcessId } from "../../core/ids/ids.ts";
import type { Store } from "../../store/store.ts";
import { lookLateAtProvision } from "../provisioning/look-late-provision.ts";
import { driveProvisionOnce } from "../provisioning/provision-driver.ts";
import { lookAfterOnce } from "./look-after.ts";
import { RestingWork } from "./resting-work.ts";
import { rotateScheduled } from "./rotate-scheduled.ts";
import { driveOnce } from "./rotation-driver.ts";
import type { Driven, RunStepDeps } from "./run-step.ts";

export interface RotationLoopDeps extends RunStepDeps {
  readonly ids: Pick<IdFactory, "create">;
  readonly leaseId: LeaseId;
  /** Does what is done in the name of the one who acts: what is changed is written into the audit log. */
  readonly act: <Result>(work: () => Result) => Result;
  /** How often it is looked whether there is something to do. */
  readonly tickMs?: number;
}

type Drive<Work> = (deps: RunStepDeps, work: Work) => Promise<Driven<Work>>;

const DEFAULT_TICK_MS = 2_000;
/** The name of the lease under which one process at a time drives rotations. */
const LEASE = "rotations";
/** It is renewed while there is work. Two that drive one rotation all the same do no harm: one is overtaken. */
const LEASE_MS = 20_000;
const RENEW_MS = 5_000;
/** Of one rotation before the next one has its turn. */
const MAX_STEPS_A_TURN = 20;
const SCHEDULE_EVERY_MS = 60_000;

/**
 * Drives the rotations and provisions that are open, and looks after those that have ended, in one process at a time by a
 * lease. Whoever has it goes on where the one before stopped or died.
 */
export class RotationLoop {
  readonly #deps: RotationLoopDeps;
  /** Of which not even what is in the way could be written on them. */
  readonly #resting = new RestingWork();
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #isWoken = false;
  #isStopped = false;
  #isAway = false;
  #hasLease = false;
  #scheduledAtMs = Number.NEGATIVE_INFINITY;
  /** When the first of the work that waits for a time has come to it. */
  #dueAtMs = Number.POSITIVE_INFINITY;

  constructor(deps: RotationLoopDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#schedule(this.#deps.tickMs ?? DEFAULT_TICK_MS);
  }

  /** Looks at once; may be called at any time. */
  wake(): void {
    this.#isWoken = true;
    if (this.#working === undefined) this.#schedule(0);
  }

  /** Resolves when the step in hand has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#working;
    if (!this.#hasLease) return;
    try {
      await this.#deps.store.alerts.leases.release(LEASE, this.#deps.leaseId);
    } catch (err) {
      this.#deps.log.warn({ err }, "the rotations' lease could not be given back: it runs out");
    }
  }

  #schedule(delayMs: number): void {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#isWoken = false;
      this.#working = this.#tick().finally(() => {
        this.#working = undefined;
        this.#schedule(this.#isWoken ? 0 : this.#pauseMs());
      });
    }, delayMs);
  }

  #pauseMs(): number {
    const tickMs = this.#deps.tickMs ?? DEFAULT_TICK_MS;
    return Math.max(0, Math.min(tickMs, this.#dueAtMs - this.#deps.nowMs()));
  }

  async #tick(): Promise<void> {
    const { log } = this.#deps;
    try {
      await this.#deps.act(() => this.#look());
      if (this.#isAway) log.info({}, "rotations are looked after again");
      this.#isAway = false;
    } catch (err) {
      // Said once. What was begun is in the store, and goes on when that answers.
      if (!this.#isAway) log.error({ err }, "rotations cannot be looked after");
      this.#isAway = true;
    }
  }

  async #look(): Promise<void> {
    this.#dueAtMs = Number.POSITIVE_INFINITY;
    if (!(await this.#takeLease())) return;
    const renewing = setInterval(() => void this.#takeLease().catch(ignore), RENEW_MS);
    try {
      await this.#work();
    } finally {
      clearInterval(renewing);
    }
  }

  async #work(): Promise<void> {
    const { store, nowMs } = this.#deps;
    if (Math.abs(nowMs() - this.#scheduledAtMs) >= SCHEDULE_EVERY_MS) {
      this.#scheduledAtMs = nowMs();
      await rotateScheduled(this.#deps);
    }
    const { rotations, provisions } = store.rotation;
    const open = {
      rotations: await rotations.listOpenIds(),
      provisions: await provisions.listOpenIds(),
    };
    const ended = {
      rotations: await rotations.listLookIds(nowMs()),
      provisions: await provisions.listLookIds(nowMs()),
    };
    this.#resting.keepOnly(
      new Set<string>([...Object.values(open), ...Object.values(ended)].flat()),
    );
    for (const id of open.rotations) {
      await this.#driveAlone(id, (at) => rotations.findById(at), driveOnce);
    }
    for (const id of open.provisions) {
      await this.#driveAlone(id, (at) => provisions.findById(at), driveProvisionOnce);
    }
    for (const id of ended.rotations) {
      await this.#driveAlone(id, (at) => rotations.findById(at), lookAfterOnce);
    }
    for (const id of ended.provisions) {
      await this.#driveAlone(id, (at) => provisions.findById(at), lookLateAtProvision);
    }
  }

  /** One that breaks stops no other: it rests, longer each time. */
  async #driveAlone<Id extends string, Work>(
    id: Id,
    find: (id: Id) => Promise<Work | undefined>,
    drive: Drive<Work>,
  ): Promise<void> {
    const restsUntilMs = this.#resting.untilMs(id);
    if (restsUntilMs > this.#deps.nowMs()) {
      this.#dueAtMs = Math.min(this.#dueAtMs, restsUntilMs);
      return;
    }
    try {
      await this.#drive(id, find, drive);
      this.#resting.delete(id);
    } catch (err) {
      // A store that is away is in everything's way: then this rejects, and all is looked at again with the next tick.
      await this.#takeLease();
      const untilMs = this.#resting.add(id, this.#deps.nowMs());
      this.#deps.log.error(
        { err, id, untilMs },
        "a rotation or provision cannot be read or written",
      );
    }
  }

  async #drive<Id, Work>(
    id: Id,
    find: (id: Id) => Promise<Work | undefined>,
    drive: Drive<Work>,
  ): Promise<void> {
    for (let step = 0; step < MAX_STEPS_A_TURN && !this.#isStopped; step += 1) {
      const work = await find(id);
      if (work === undefined || !(await this.#takeLease())) return;
      const driven = await drive(this.#deps, work);
      if (driven.kind !== "waits") continue;
      this.#dueAtMs = Math.min(this.#dueAtMs, driven.untilMs ?? Number.POSITIVE_INFINITY);
      return;
    }
  }

  async #takeLease(): Promise<boolean> {
    const lease = { leaseId: this.#deps.leaseId, leaseMs: LEASE_MS };
    this.#hasLease = await this.#deps.store.alerts.leases.take(LEASE, lease);
    return this.#hasLease;
  }
}

/** Recovered from by the next look, which takes the lease again or finds that another has it. */
const ignore = (): void => undefined;

/** So that whoever finds a process dead can give back what it held. */
export function leaseIdOf(processId: ProcessId): LeaseId {
  return `lea_${processId.slice("prc_".length)}` as LeaseId;
}

/** Of a process that is gone: another one need not wait until its lease has run out. */
export async function releaseRotations(
  { alerts }: Pick<Store, "alerts">,
  { processId }: { readonly processId: ProcessId },
): Promise<void> {
  await alerts.leases.release(LEASE, leaseIdOf(processId));
}
