/** Which connections there are, and which a request goes on, against a server on raw sockets. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useFakeIntervals, useRealIntervals } from "../../../test/support/fake-intervals.ts";
import { HttpClientUnderTest } from "../../../test/support/http-client-under-test.ts";
import { turns, until } from "../../../test/support/poll.ts";

let test: HttpClientUnderTest;
beforeEach(async () => {
  test = await HttpClientUnderTest.start();
});
afterEach(async () => {
  await test.close();
  useRealIntervals();
  for (const { surplus } of test.exchanges) expect(surplus).toEqual([]);
});

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/** One exchange, on the connection with this number, that is its n-th. */
async function exchangeOn(index: number, requests: number): Promise<void> {
  const heard = test.send();
  (await test.server.peer(index, requests)).answer("ok");
  expect(await heard.answered()).toBe("ok");
}

describe("a connection", () => {
  it("is used again, the one used last first", async () => {
    const first = test.send();
    const second = test.send();
    const [one, other] = [await test.server.peer(0), await test.server.peer(1)];
    await test.counts(2, 0);
    one.answer("from the first");
    other.answer("from the second");
    await Promise.all([first.answered(), second.answered()]);
    await test.counts(2, 2);
    await exchangeOn(1, 2);
    await exchangeOn(1, 3);
    const both = [test.send(), test.send()];
    (await test.server.peer(1, 4)).answer("");
    (await test.server.peer(0, 2)).answer("");
    await Promise.all(both.map(async (heard) => heard.answered()));
    await test.counts(2, 2);
    expect(test.server.peers).toHaveLength(2);
  });

  it("on which bytes came behind an answer is not used again", async () => {
    const heard = test.send();
    const peer = await test.server.peer();
    peer.send(`${OK}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil`);
    expect(await heard.answered()).toBe("ok");
    await peer.gone();
    await exchangeOn(1, 1);
  });

  it("on which bytes come while it rests ends", async () => {
    await exchangeOn(0, 1);
    await test.counts(1, 1);
    const [peer] = test.server.peers;
    peer?.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil");
    await peer?.gone();
    await test.counts(0, 0);
    await exchangeOn(1, 1);
  });

  it.each([false, true])(
    "on which bytes came behind an answer while its reader had paused is not used again (through its socket: %s)",
    async (readsThroughStreams) => {
      test.readsThroughStreams = readsThroughStreams;
      const heard = test.send({}, { onResponseData: (control) => control.pause() });
      const peer = await test.server.peer();
      test.isHolding = true;
      const next = test.send();
      peer.send("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhel");
      await heard.heard("hel");
      await peer.sent("lo!");
      await turns(5);
      await peer.sent("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil");
      await turns(5);
      heard.control?.resume();
      expect(await heard.answered()).toBe("hello!");
      await peer.gone();
      expect(next.isStarted).toBe(false);
      test.attempts[0]?.succeed();
      (await test.server.peer(1)).answer("its own");
      expect(await next.answered()).toBe("its own");
    },
  );

  it("that its server closes while it rests is not used again", async () => {
    await exchangeOn(0, 1);
    test.server.peers[0]?.socket.end();
    await test.counts(0, 0);
    await exchangeOn(1, 1);
  });

  it("that its server resets while it rests harms nobody", async () => {
    await exchangeOn(0, 1);
    test.server.peers[0]?.socket.resetAndDestroy();
    await test.counts(0, 0);
    await exchangeOn(1, 1);
  });

  it("that is lost leaves those that rest as they are", async () => {
    const [first, second] = [test.send(), test.send()];
    const peer = await test.server.peer(0);
    const lost = await test.server.peer(1);
    peer.answer("ok");
    await until("an answer", () => first.ending ?? second.ending);
    await test.counts(2, 1);
    lost.socket.resetAndDestroy();
    await until("both ends", () => first.ending !== undefined && second.ending !== undefined);
    await test.counts(1, 1);
    await exchangeOn(0, 2);
  });

  it("that its server does not keep is closed behind the answer", async () => {
    for (const [index, answer] of [
      "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
      "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
      "HTTP/1.1 200 OK\r\nkeep-alive: timeout=0\r\ncontent-length: 2\r\n\r\nok",
      "HTTP/1.1 200 OK\r\nkeep-alive: timeout=1\r\ncontent-length: 2\r\n\r\nok",
      "HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ].entries()) {
      const heard = test.send();
      const peer = await test.server.peer(index);
      peer.send(answer);
      expect(await heard.answered()).toBe("ok");
      await peer.gone();
    }
    const head = test.send({ method: "HEAD" });
    const peer = await test.server.peer(5);
    peer.send("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
    await head.answered();
    await peer.gone();
    await test.counts(0, 0);
  });
});

/** How long one was open since its answer, in steps of the client's own. */
async function openForMs(fields: string): Promise<number> {
  const heard = test.send();
  const peer = await test.server.peer();
  peer.answer("ok", fields);
  await heard.answered();
  await test.counts(1, 1);
  let openMs = 0;
  for (; test.sockets[0]?.destroyed === false; openMs += 1_000) {
    await vi.advanceTimersByTimeAsync(1_000);
  }
  await test.counts(0, 0);
  return openMs;
}

describe("a connection that rests is closed", () => {
  beforeEach(async () => {
    await test.close();
    useFakeIntervals();
    test = await HttpClientUnderTest.start({ idleTimeoutMs: 15_000 });
  });

  it("when nobody has used it for its time", async () => {
    expect(await openForMs("")).toBe(15_000);
  });

  it("a second before its server's time is up, which may be longer", async () => {
    expect(await openForMs("keep-alive: timeout=20\r\n")).toBe(19_000);
  });

  it("a second before its server's time is up, which may be shorter", async () => {
    expect(await openForMs("keep-alive: timeout=2\r\n")).toBe(1_000);
  });

  it("after ten minutes, however long its server would keep it", async () => {
    expect(await openForMs("keep-alive: timeout=100000\r\n")).toBe(600_000);
  });

  it("when its time is up and the next check is still to come, to the next request", async () => {
    // Off the beat of the checks.
    await vi.advanceTimersByTimeAsync(500);
    const heard = test.send();
    const peer = await test.server.peer();
    peer.answer("ok", "keep-alive: timeout=2\r\n");
    await heard.answered();
    await vi.advanceTimersByTimeAsync(1_100);
    await exchangeOn(1, 1);
    await vi.advanceTimersByTimeAsync(1_000);
    await peer.gone();
    await test.counts(1, 1);
  });

  it("when nobody has used it at all", async () => {
    const busy = test.send();
    const peer = await test.server.peer();
    test.isHolding = true;
    const waiting = test.send();
    peer.answer("ok");
    await busy.answered();
    test.attempts[0]?.succeed();
    await test.counts(2, 1);
    await vi.advanceTimersByTimeAsync(15_000);
    await test.counts(1, 0);
    peer.answer("ok");
    await waiting.answered();
  });

  it("counted from its last answer", async () => {
    await exchangeOn(0, 1);
    await vi.advanceTimersByTimeAsync(14_000);
    await exchangeOn(0, 2);
    await vi.advanceTimersByTimeAsync(14_000);
    await exchangeOn(0, 3);
    await vi.advanceTimersByTimeAsync(15_000);
    await test.counts(0, 0);
  });
});

describe("a server", () => {
  it("gets no request of another one's", async () => {
    const other = await HttpClientUnderTest.start();
    await exchangeOn(0, 1);
    const heard = test.send({ origin: other.server.url });
    (await other.server.peer()).answer("from the other");
    expect(await heard.answered()).toBe("from the other");
    await test.counts(2, 2);
    expect(test.server.peers[0]?.received.split("GET ")).toHaveLength(2);
    await other.close();
  });

  it("is asked by its name, and by its port where that is not the scheme's own", async () => {
    await test.close();
    const targets: unknown[] = [];
    test = await HttpClientUnderTest.start({ connect: (target) => targets.push(target) });
    for (const origin of ["https://a.test", "http://a.test:81", "https://[::1]:444"]) {
      test.send({ origin });
    }
    expect(targets).toEqual([
      { protocol: "https:", hostname: "a.test", host: "a.test", port: "" },
      { protocol: "http:", hostname: "a.test", host: "a.test:81", port: "81" },
      { protocol: "https:", hostname: "::1", host: "[::1]:444", port: "444" },
    ]);
  });
});

describe("a server that is not called any more", () => {
  it("is forgotten", async () => {
    await test.close();
    useFakeIntervals();
    const targets: unknown[] = [];
    test = await HttpClientUnderTest.start({
      connect: (target, callback) => {
        targets.push(target);
        callback(new Error("refused"));
      },
    });
    expect(await test.send().failed()).toBe("refused");
    expect(await test.send().failed()).toBe("refused");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await test.send().failed()).toBe("refused");
    // What is kept of a server is one object as long as it is kept.
    expect(targets[1]).toBe(targets[0]);
    expect(targets[2]).not.toBe(targets[0]);
    expect(targets[2]).toEqual(targets[0]);
  });

  it("is not forgotten while a connection to it is being opened", async () => {
    await test.close();
    useFakeIntervals();
    test = await HttpClientUnderTest.start();
    test.isHolding = true;
    const heard = test.send();
    await vi.advanceTimersByTimeAsync(1_000);
    test.client.destroy();
    expect(await heard.failed()).toBe("ERR_CLIENT_CLOSED");
  });
});

describe("a client that is closed", () => {
  it("leaves no timer behind", async () => {
    useFakeIntervals();
    const other = await HttpClientUnderTest.start();
    expect(vi.getTimerCount()).toBe(1);
    await other.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("tells every exchange so, closes every connection, and takes nothing more", async () => {
    await exchangeOn(0, 1);
    const unanswered = test.send();
    const begun = test.send();
    await test.server.peer(0, 2);
    const peer = await test.server.peer(1);
    peer.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbegun");
    await begun.heard("begun");
    const resting = test.send();
    (await test.server.peer(2)).answer("ok");
    await resting.answered();
    test.isHolding = true;
    // It goes on the one that rests; the others wait for what is being opened.
    const sent = test.send();
    const waiting = [test.send(), test.send()];
    expect(test.client.count()).toEqual({ open: 3, idle: 0 });

    test.client.destroy();

    for (const heard of [unanswered, begun, sent, ...waiting]) {
      expect(await heard.failed()).toBe("ERR_CLIENT_CLOSED");
    }
    for (const server of test.server.peers) await server.gone();
    expect(() => test.send()).toThrow("the connections to providers are closed");
    test.attempts[0]?.succeed();
    test.attempts[1]?.fail(new Error("refused"));
    await until("the late one's end", () => test.sockets[3]?.destroyed);
    await test.counts(0, 0);
    expect(test.exchanges.at(-1)?.isStarted).toBe(false);
  });

  it("closes what rests, too", async () => {
    await exchangeOn(0, 1);
    test.client.destroy();
    await test.server.peers[0]?.gone();
    await test.counts(0, 0);
  });

  it("within a call of a listener, ends the exchange that is told of its start without a byte", async () => {
    await exchangeOn(0, 1);
    const before = test.server.peers[0]?.received;
    const heard = test.send({}, { onRequestStart: () => test.client.destroy() });
    expect(await heard.failed()).toBe("ERR_CLIENT_CLOSED");
    await test.server.peers[0]?.gone();
    expect(test.server.peers[0]?.received).toBe(before);
    await test.counts(0, 0);
  });
});
