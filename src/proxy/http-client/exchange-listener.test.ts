/** What a listener may do within a call, and what becomes of its exchange and of others. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HttpClientUnderTest } from "../../../test/support/http-client-under-test.ts";
import { until } from "../../../test/support/poll.ts";
import type { RawPeer } from "../../../test/support/raw-server.ts";
import type { ExchangeControl, ExchangeListener } from "./exchange-listener.ts";

let test: HttpClientUnderTest;
beforeEach(async () => {
  test = await HttpClientUnderTest.start();
});
afterEach(async () => {
  await test.close();
  for (const { surplus } of test.exchanges) expect(surplus).toEqual([]);
});

/** One more exchange, on the connection with this number, that is its n-th. */
async function exchangeOn(index: number, requests: number): Promise<void> {
  const heard = test.send();
  (await test.server.peer(index, requests)).answer("ok");
  expect(await heard.answered()).toBe("ok");
}

const abort = (control: ExchangeControl): void => control.abort(new Error("given up"));

describe("an exchange that is aborted", () => {
  it("before it begins sends nothing, and leaves the connection as it was", async () => {
    await exchangeOn(0, 1);
    const [peer] = test.server.peers;
    const before = peer?.received;
    const heard = test.send(
      {},
      {
        onRequestStart: (control) => {
          control.pause();
          control.abort(new Error("given up"));
          control.abort(new Error("twice"));
        },
      },
    );
    expect(heard.error?.message).toBe("given up");
    expect(test.client.count()).toEqual({ open: 1, idle: 1 });
    await exchangeOn(0, 2);
    expect(peer?.received).toBe((before ?? "").repeat(2));
  });

  it("before its answer cuts the connection, of which the server hears", async () => {
    const heard = test.send();
    const peer = await test.server.peer();
    heard.control?.abort(new Error("given up"));
    expect(heard.error?.message).toBe("given up");
    heard.control?.abort(new Error("twice"));
    heard.control?.pause();
    heard.control?.resume();
    await peer.gone();
    await test.counts(0, 0);
  });

  it("within its answer hears nothing more of it, and cuts the connection", async () => {
    const places: [keyof ExchangeListener, string][] = [
      ["onResponseStart", ""],
      ["onResponseData", "one"],
    ];
    const bytes =
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n";
    for (const [index, [place, body]] of places.entries()) {
      const heard = test.send({}, { [place]: abort });
      const peer = await test.server.peer(index);
      peer.send(bytes);
      expect(await heard.failed()).toBe("given up");
      expect(heard.body).toBe(body);
      await peer.gone();
    }
  });

  it("at an interim answer, or at one without a body, hears nothing more of it", async () => {
    for (const [index, bytes] of [
      "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
      "HTTP/1.1 204 No Content\r\n\r\n",
    ].entries()) {
      const heard = test.send({}, { onResponseStart: abort });
      const peer = await test.server.peer(index);
      peer.send(bytes);
      expect(await heard.failed()).toBe("given up");
      expect(heard.heads).toHaveLength(1);
      await peer.gone();
    }
  });

  it("at its last piece does not hear of the end", async () => {
    const heard = test.send({}, { onResponseData: abort });
    const peer = await test.server.peer();
    peer.answer("ok");
    expect(await heard.failed()).toBe("given up");
    await peer.gone();
  });

  it("when it is over is over: whatever is under way on its connection by then goes on", async () => {
    const heard = test.send();
    const peer = await test.server.peer();
    peer.answer("ok");
    await heard.answered();
    const next = test.send();
    await peer.asked(2);
    heard.control?.pause();
    heard.control?.abort(new Error("too late"));
    peer.answer("to the next");
    expect(await next.answered()).toBe("to the next");
  });
});

const ANSWER =
  "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n";
const inEveryCall = (act: (control: ExchangeControl) => void): Partial<ExchangeListener> => ({
  onRequestStart: act,
  onResponseStart: act,
  onResponseData: act,
});

async function answerTo(peer: Promise<RawPeer>): Promise<void> {
  (await peer).send(ANSWER);
}

const boom = (): void => {
  throw new Error("boom");
};

describe("a listener", () => {
  it("may pause and go on within every call", async () => {
    const heard = test.send(
      {},
      inEveryCall((control) => {
        control.pause();
        control.pause();
        control.resume();
        control.resume();
      }),
    );
    await answerTo(test.server.peer());
    expect(await heard.answered()).toBe("onetwo");
    expect(heard.heads.map(({ status }) => status)).toEqual([103, 200]);
    await exchangeOn(0, 2);
  });

  it("may pause and go on at each of very many pieces", async () => {
    const count = 10_000;
    const heard = test.send(
      {},
      {
        onResponseData: (control) => {
          control.pause();
          control.resume();
        },
      },
    );
    const peer = await test.server.peer();
    peer.send(
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${"1\r\na\r\n".repeat(count)}0\r\n\r\n`,
    );
    expect(await heard.answered()).toHaveLength(count);
  });

  it("may pause within every call, and hears nothing until it goes on", async () => {
    let isPaused = false;
    let calls = 0;
    const heard = test.send(
      {},
      inEveryCall((control) => {
        expect(isPaused).toBe(false);
        isPaused = true;
        calls += 1;
        control.pause();
        setImmediate(() => {
          isPaused = false;
          control.resume();
        });
      }),
    );
    await answerTo(test.server.peer());
    expect(await heard.answered()).toBe("onetwo");
    expect(calls).toBe(5);
    await exchangeOn(0, 2);
  });

  it("may send the next request as it hears of the end", async () => {
    let next: ReturnType<typeof test.send> | undefined;
    const heard = test.send({}, { onResponseEnd: () => (next = test.send()) });
    const peer = await test.server.peer();
    peer.answer("one");
    expect(await heard.answered()).toBe("one");
    await peer.asked(2);
    peer.answer("two");
    expect(await next?.answered()).toBe("two");
  });

  it("that throws as it is told of its start has failed, and its connection is the next one's", async () => {
    const heard = test.send({}, { onRequestStart: boom });
    expect(await heard.failed()).toBe("boom");
    await test.counts(1, 1);
    const again = test.send({}, { onRequestStart: boom });
    expect(again.error?.message).toBe("boom");
    await exchangeOn(0, 1);
  });

  it("that throws as it is told of its start does no harm to the exchange before it", async () => {
    const busy = test.send();
    const peer = await test.server.peer();
    test.isHolding = true;
    const waiting = test.send({}, { onRequestStart: boom });
    peer.answer("ok");
    expect(await busy.answered()).toBe("ok");
    expect(await waiting.failed()).toBe("boom");
    await exchangeOn(0, 2);
  });

  it("that throws within its answer has failed, and its connection is cut", async () => {
    for (const [index, place] of (["onResponseStart", "onResponseData"] as const).entries()) {
      const heard = test.send({}, { [place]: boom });
      await answerTo(test.server.peer(index));
      expect(await heard.failed()).toBe("boom");
      await test.server.peers[index]?.gone();
    }
    await test.counts(0, 0);
  });

  it("that throws as it goes on has failed, and its connection is cut", async () => {
    const heard = test.send(
      {},
      {
        onResponseStart: (control, status) => {
          if (status === 200) control.pause();
        },
        onResponseData: boom,
      },
    );
    await answerTo(test.server.peer());
    await until("the head", () => heard.heads.length === 2);
    heard.control?.resume();
    expect(await heard.failed()).toBe("boom");
    await test.server.peers[0]?.gone();
  });

  it("that throws as it is told of the end hears of it as its error", async () => {
    const heard = test.send({}, { onResponseEnd: boom });
    (await test.server.peer()).answer("ok");
    expect(await heard.failed()).toBe("boom");
    expect(heard.surplus.splice(0)).toEqual(["error behind the end"]);
    await exchangeOn(0, 2);
  });

  it("that throws at its error leaves nothing behind", async () => {
    const heard = test.send({}, { onResponseError: boom });
    const peer = await test.server.peer();
    expect(() => heard.control?.abort(new Error("given up"))).toThrow("boom");
    await peer.gone();
    await test.counts(0, 0);
    await exchangeOn(1, 1);
  });
});
