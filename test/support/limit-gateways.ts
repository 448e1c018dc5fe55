import type {
  EnvironmentId,
  GatewayKeyId,
  LimitId,
  ProjectId,
  ProviderAccountId,
} from "../../src/core/ids/ids.ts";
import type { Limit } from "../../src/core/limits/limit.ts";
import type {
  Admission,
  LimitDecision,
  LimitedCall,
  LimitRefusal,
} from "../../src/ledger/limits.ts";
import { SharedLimits } from "../../src/ledger/limits/shared-limits.ts";
import { MemoryLimitUses } from "./memory-limit-uses.ts";

const START_MS = 1_800_000_000_000;

export const CALL: LimitedCall = {
  projectId: "prj_1" as ProjectId,
  environmentId: "env_1" as EnvironmentId,
  gatewayKeyId: "key_1" as GatewayKeyId,
  customer: "acme",
  feature: null,
  providerAccountId: "acc_1" as ProviderAccountId,
  tokens: 0,
};

let made = 0;
export function limitOf(change: Partial<Limit>): Limit {
  made += 1;
  return {
    id: `lim_${made}` as LimitId,
    scope: { kind: "organization", id: null },
    requestsPerMinute: null,
    tokensPerMinute: null,
    concurrency: null,
    ...change,
  };
}

/** Gateways on one store, whose time a test drives. */
export function gateways(count: number, ...limits: readonly Limit[]) {
  /** `wait`: what a call does that waits for what others give back; time stands still unless a test says otherwise. */
  const time = { ms: 0, wait: async (_ms: number): Promise<void> => settled() };
  const uses = new MemoryLimitUses(() => START_MS + time.ms);
  const logged: string[] = [];
  const write = (_fields: unknown, message: string): void => void logged.push(message);
  const all = Array.from({ length: count }, (_, index) => {
    const processId = `prc_${index}`;
    uses.running.add(processId);
    // Each process has a clock of its own.
    const monotonicMs = (): number => time.ms + index * 7_777;
    const gateway = new SharedLimits({
      uses,
      processId,
      monotonicMs,
      log: { info: write, warn: write },
      answerDeadlineMs: 60_000,
      pause: (ms) => time.wait(ms),
    });
    gateway.apply(
      limits.map(({ id }) => id),
      limits,
    );
    return gateway;
  });
  const pass = async (ms: number): Promise<void> => {
    time.ms += ms;
    for (const gateway of all) gateway.tick();
    await settled();
  };
  const [first, second] = all;
  if (first === undefined) throw new Error("there is at least one");
  return { all, first, second: second ?? first, uses, time, pass, logged };
}

/** Trips in memory take a few turns of the event loop. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 6; i += 1) await new Promise(setImmediate);
}

export function admitted(decision: LimitDecision): Admission {
  if (decision?.isAdmitted !== true) throw new Error("the call was refused");
  return decision;
}

export function refused(decision: LimitDecision): LimitRefusal {
  if (decision?.isAdmitted !== false) throw new Error("the call was admitted");
  return decision;
}

export async function burst(
  gateway: SharedLimits,
  count: number,
  call = CALL,
): Promise<LimitDecision[]> {
  return await Promise.all(Array.from({ length: count }, async () => await gateway.admit(call)));
}

export function countAdmitted(decisions: readonly LimitDecision[]): number {
  return decisions.filter((decision) => decision?.isAdmitted === true).length;
}
