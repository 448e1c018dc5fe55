import { afterEach, describe, expect, it } from "vitest";
import { LogOfTest } from "../../test/support/ledger-under-test.ts";
import { until } from "../../test/support/poll.ts";
import type { ChangeWatch } from "../store/store.ts";
import { type ChangePoller, startChangePoller } from "./change-poller.ts";

const NEVER_MS = 1_000_000;

let poller: ChangePoller;
let tell: () => void;
let refreshes: number;
let isWatchClosed: boolean;
afterEach(() => poller.stop());

function start(refresh: () => Promise<void>, intervalMs = NEVER_MS): LogOfTest {
  const log = new LogOfTest();
  refreshes = 0;
  isWatchClosed = false;
  const watch: ChangeWatch = {
    isListening: () => true,
    close: () => {
      isWatchClosed = true;
      return Promise.resolve();
    },
  };
  poller = startChangePoller({
    snapshot: {
      refresh: async () => {
        refreshes += 1;
        await refresh();
      },
    },
    store: {
      watchChanges: (onChange) => {
        tell = onChange;
        return watch;
      },
    },
    log: {
      debug: () => {},
      info: log.info.bind(log),
      warn: log.warn.bind(log),
      error: log.error.bind(log),
    },
    intervalMs,
  });
  return log;
}

describe("the change poller", () => {
  it("reads at once what it is told of, and without being told after the interval", async () => {
    start(() => Promise.resolve());
    tell();
    await until("the change is read", () => refreshes === 1);
    await poller.stop();
    start(() => Promise.resolve(), 5);
    await until("it polls all the same", () => refreshes > 2);
  });

  it("reads once more for what it is told while it reads, and no oftener", async () => {
    const reading = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    start(() => reading[refreshes - 1]?.promise ?? Promise.resolve());
    tell();
    for (let change = 0; change < 5; change += 1) tell();
    expect(refreshes).toBe(1);
    reading[0]?.resolve();
    await until("it reads anew", () => refreshes === 2);
    reading[1]?.resolve();
    tell();
    await until("and for one that comes later", () => refreshes === 3);
  });

  it("does not spin against a store that is away, whatever it is told", async () => {
    const log = start(() => {
      tell();
      return Promise.reject(new Error("away"));
    });
    tell();
    await until("it knows", () => poller.isAway());
    expect(refreshes).toBe(1);
    expect(log.lines).toHaveLength(1);
  });

  it("ends what tells it of changes, and hears it no more", async () => {
    start(() => Promise.resolve());
    await poller.stop();
    expect(isWatchClosed).toBe(true);
    tell();
    expect(refreshes).toBe(0);
  });
});
