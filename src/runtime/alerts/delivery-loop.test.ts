import { expect, test } from "vitest";
import { answerWith } from "../../../test/support/alert-receiver.ts";
import { ALERTS_NOW_MS, alertsUnderTest } from "../../../test/support/alerts-under-test.ts";
import { until } from "../../../test/support/poll.ts";
import { DAY_MS, HOUR_MS } from "../../core/alerts/alert-period.ts";
import type { AlertChannelRecord } from "../../store/alert-records.ts";
import { sampleAlert, sampleBatch } from "../../store/contract/alert-samples.contract.ts";
import type { Store } from "../../store/store.ts";
import { AlertDelivery, MAX_MESSAGES_A_MINUTE } from "./delivery-loop.ts";

const alerts = alertsUnderTest();

/** Fires alerts, a message each; returns the messages' ids, oldest first. */
async function fire(count: number, ...channels: readonly AlertChannelRecord[]) {
  const batches = Array.from({ length: count }, () => {
    const batch = sampleBatch([sampleAlert()], channels);
    const times = { createdAtMs: alerts.nowMs, nextAttemptAtMs: alerts.nowMs };
    return { ...batch, deliveries: batch.deliveries.map((one) => ({ ...one, ...times })) };
  });
  await alerts.store.alerts.history.fire(batches);
  return batches.map(({ messageId }) => messageId);
}

const received = () => alerts.receiver.posts.map(({ headers }) => headers["webhook-id"]);

test("a message is tried with longer and longer waits until it is delivered, each time under its id, also after a restart", async () => {
  const channel = await alerts.addChannel();
  const [message] = await fire(1, channel);
  alerts.receiver.answer = answerWith(503);
  for (const waitMs of [5_000, 10_000, 20_000]) {
    await alerts.deliver();
    const before = alerts.receiver.posts.length;
    alerts.nowMs += waitMs - 1;
    await alerts.deliver();
    expect(alerts.receiver.posts).toHaveLength(before);
    alerts.nowMs += 1;
  }
  expect(await alerts.store.alerts.channels.findById(channel.id)).toMatchObject({
    lastProblem: "answered 503",
    lastDeliveredAtMs: null,
  });
  // Another process, which knows of it from the database alone.
  alerts.receiver.answer = answerWith(204);
  const delivery = alerts.deliveryOn(alerts.openStore());
  await delivery.look();
  await delivery.settled();
  expect(received()).toEqual([message, message, message, message]);
  expect(await alerts.store.alerts.channels.findById(channel.id)).toMatchObject({
    lastProblem: null,
    lastDeliveredAtMs: alerts.nowMs,
  });
  alerts.nowMs += DAY_MS;
  await alerts.deliver();
  expect(alerts.receiver.posts).toHaveLength(4);
});

test("a receiver that names a time is not asked before it", async () => {
  const channel = await alerts.addChannel();
  await fire(1, channel);
  alerts.receiver.answer = answerWith(429, { "retry-after": "90" });
  await alerts.deliver();
  alerts.nowMs += 89_999;
  await alerts.deliver();
  expect(alerts.receiver.posts).toHaveLength(1);
  alerts.nowMs += 1;
  await alerts.deliver();
  expect(alerts.receiver.posts).toHaveLength(2);
});

test("one that fails for four days is given up, is seen to be, and is sent when somebody says so", async () => {
  const channel = await alerts.addChannel();
  const [message] = await fire(1, channel);
  alerts.receiver.answer = answerWith(500);
  while (alerts.nowMs < ALERTS_NOW_MS + 5 * DAY_MS) {
    await alerts.deliver();
    alerts.nowMs += 6 * HOUR_MS;
  }
  const { deliveries } = alerts.store.alerts;
  expect(await deliveries.countTroubles()).toEqual([
    { channelId: channel.id, waiting: 0, givenUp: 1 },
  ]);
  expect(alerts.log.lines.at(-1)).toBe(
    "error: an alert was given up: its channel has failed for days",
  );
  const attempts = alerts.receiver.posts.length;
  expect(attempts).toBe(17);
  alerts.receiver.answer = answerWith(200);
  if (message !== undefined) expect(await deliveries.retry(message, alerts.nowMs)).toBe(1);
  await alerts.deliver();
  expect(alerts.receiver.posts).toHaveLength(attempts + 1);
  expect(await deliveries.countTroubles()).toEqual([]);
});

test("messages come in their order, so many a minute and no more, from one process however many run", async () => {
  const channel = await alerts.addChannel();
  const messages = await fire(MAX_MESSAGES_A_MINUTE + 5, channel);
  const stores = [alerts.store, alerts.openStore(), alerts.openStore()];
  const processes = stores.map((store) => alerts.deliveryOn(store));
  await Promise.all(processes.map((delivery) => delivery.look()));
  await Promise.all(processes.map((delivery) => delivery.settled()));
  expect(received()).toEqual(messages.slice(0, MAX_MESSAGES_A_MINUTE));
  alerts.nowMs += 59_999;
  await alerts.deliver();
  expect(received()).toHaveLength(MAX_MESSAGES_A_MINUTE);
  alerts.nowMs += 1;
  await alerts.deliver();
  expect(received()).toEqual(messages);
});

test("a channel that hangs or fails keeps no other one, and no later message, from arriving", async () => {
  const [slow, failing] = [await alerts.addChannel(), await alerts.addChannel()];
  const [first, second] = await fire(2, slow, failing);
  const held: (() => void)[] = [];
  alerts.receiver.answer = (response) => {
    const isSlow = alerts.receiver.posts.at(-1)?.path === `/${slow.id}`;
    if (isSlow) held.push(() => response.end());
    else
      response
        .writeHead(alerts.receiver.posts.at(-1)?.headers["webhook-id"] === first ? 500 : 200)
        .end();
  };
  const delivery = alerts.deliveryOn();
  await delivery.look();
  const ofFailing = () => alerts.receiver.posts.filter(({ path }) => path === `/${failing.id}`);
  await until("both messages", async () => ofFailing().length === 2);
  expect(ofFailing().map(({ headers }) => headers["webhook-id"])).toEqual([first, second]);
  // A process that stops breaks off what hangs, and leaves it as it was for the next one.
  await delivery.stop();
  for (const release of held) release();
  const [row] = await alerts.store.alerts.deliveries.listDue(slow.id, {
    nowMs: alerts.nowMs,
    horizonMs: DAY_MS,
    limit: 1,
  });
  expect(row).toMatchObject({ messageId: first, attempts: 0, lastAttemptAtMs: null });
});

test("what was sent by a process that died before it could note it is sent once more, under the same id", async () => {
  const channel = await alerts.addChannel();
  const [message] = await fire(1, channel);
  const { store } = alerts;
  const dying = Object.assign(Object.create(store.alerts.deliveries) as object, {
    delivered: () => Promise.reject(new Error("the process dies here")),
    listDueChannels: () => Promise.resolve([channel.id]),
    listDue: store.alerts.deliveries.listDue.bind(store.alerts.deliveries),
    countAttempted: store.alerts.deliveries.countAttempted.bind(store.alerts.deliveries),
  }) as unknown as Store["alerts"]["deliveries"];
  const delivery = new AlertDelivery({
    store: {
      alerts: { ...store.alerts, deliveries: dying },
      projects: store.projects,
      environments: store.environments,
      gatewayKeys: store.gatewayKeys,
      providerAccounts: store.providerAccounts,
      providerKeys: store.providerKeys,
    },
    senders: alerts.senders,
    ids: alerts.ids,
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    nowMs: () => alerts.nowMs,
    random: () => 0,
  });
  await delivery.look();
  await delivery.settled();
  await alerts.deliver();
  expect(received()).toEqual([message, message]);
});

test("a channel that is off keeps its messages until it is on again", async () => {
  const channel = await alerts.addChannel();
  await fire(1, channel);
  await alerts.store.alerts.channels.update({ ...channel, isEnabled: false });
  await alerts.deliver();
  expect(alerts.receiver.posts).toEqual([]);
  await alerts.store.alerts.channels.update(channel);
  await alerts.deliver();
  expect(alerts.receiver.posts).toHaveLength(1);
});
