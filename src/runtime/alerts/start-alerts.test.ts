import { expect, test } from "vitest";
import { alertsUnderTest } from "../../../test/support/alerts-under-test.ts";
import { until } from "../../../test/support/poll.ts";
import { createAllowedHosts } from "../../core/network/allowed-hosts.ts";
import type { ProviderKeyHealth } from "../../core/routing/provider-key-health.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import {
  insertBelongings,
  sampleEvent,
  sampleProviderKey,
} from "../../store/contract/samples.contract.ts";
import { type Alerts, createAlerts } from "./start-alerts.ts";

const alerts = alertsUnderTest();
const WELL: ProviderKeyHealth = { circuit: "closed", circuitOpenForMs: 0, rests: [] };

/** What both processes see, and how often they have looked. */
interface Health {
  of: ProviderKeyHealth;
  atMs: number;
  looks: number;
}

function start(health: Health): Alerts {
  const started = createAlerts({
    store: alerts.openStore(),
    vault: alerts.vault,
    ids: alerts.ids,
    allowedHosts: createAllowedHosts([alerts.receiver.host]),
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    nowMs: () => alerts.nowMs,
    random: Math.random,
    healthOf: () => {
      health.looks += 1;
      return health.of;
    },
    monotonicMs: () => health.atMs,
    tickMs: 5,
  });
  started.start();
  return started;
}

test("several processes with the rules of a first start tell once of a key that keeps failing, and of no blip", async () => {
  const { store } = alerts;
  const of = await insertBelongings(store);
  const key = sampleProviderKey(of, { createdAtMs: alerts.nowMs });
  await store.providerKeys.insert(key);
  await alerts.addChannel();
  const health = { of: WELL, atMs: 0, looks: 0 };
  const processes = [start(health), start(health)];
  const uses = store.alerts.providerKeyUses;
  const usedAtMs = alerts.nowMs;
  const end = (changes: Partial<UsageEvent> = {}): void => {
    for (const { observer } of processes) {
      const event = sampleEvent({ providerKeyId: key.id, startedAtMs: usedAtMs, ...changes });
      const rest = { environment: "", ending: "whole", origin: null, trace: undefined } as const;
      observer.callEnded({ event, ...rest });
    }
  };
  end();
  await until("the use", async () => (await uses.lastUsesOf([key.id])).get(key.id));
  expect((await uses.lastUsesOf([key.id])).get(key.id)).toBe(usedAtMs);
  const rules = await store.alerts.rules.listAll();
  expect(new Set(rules.map(({ condition }) => condition.kind)).size).toBe(rules.length);
  expect(rules.length).toBeGreaterThanOrEqual(9);
  // A moment of failures, then well again: nothing to tell.
  const failure = { status: "failed", httpStatus: 500 } as const;
  health.of = { ...WELL, circuit: "open" };
  end(failure);
  health.atMs = 29_000;
  end(failure);
  await looked(health);
  health.of = WELL;
  end();
  await looked(health);
  health.of = { ...WELL, circuit: "half-open" };
  end(failure);
  await looked(health);
  expect(await alerts.alerts()).toEqual([]);
  health.atMs += 30_000;
  end(failure);
  await until("the alert", async () => alerts.receiver.posts[0]);
  await looked(health);
  expect(await alerts.alerts()).toMatchObject([
    { kind: "provider_key_failing", key: { kind: "providerKey", id: key.id } },
  ]);
  for (const one of processes) await one.stop();
  expect(alerts.receiver.posts).toHaveLength(1);
  // The lease was given back: whoever comes next looks after the rules at once.
  const lease = { leaseId: alerts.ids.create("lea"), leaseMs: 1_000 };
  expect(await store.alerts.leases.take("evaluator", lease)).toBe(true);
});

/** Until both processes have looked at the key's health as it is now. */
async function looked(health: Health): Promise<void> {
  const before = health.looks;
  await until("some looks", async () => health.looks >= before + 6);
}
