/** Which connection a request goes on, against a server on raw sockets. What happens on one is in client-connection.test.ts. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HttpClientUnderTest } from "../../../test/support/http-client-under-test.ts";
import { until } from "../../../test/support/poll.ts";

let test: HttpClientUnderTest;
beforeEach(async () => {
  test = await HttpClientUnderTest.start();
});
afterEach(async () => {
  await test.close();
  vi.useRealTimers();
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

  it("on which bytes came behind an answer while its reader had paused is not used again", async () => {
    const heard = test.send({}, { onResponseData: (control) => control.pause() });
    const peer = await test.server.peer();
    test.isHolding = true;
    const next = test.send();
    peer.send("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhel");
    await heard.heard("hel");
    const [socket] = test.sockets;
    peer.send("lo!");
    await until("the rest of the answer", () => socket?.readableLength === 3);
    peer.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil");
    await until("what stands behind it", () => (socket?.readableLength ?? 0) > 3);
    heard.control?.resume();
    expect(await heard.answered()).toBe("hello!");
    await peer.gone();
    expect(next.isStarted).toBe(false);
    test.attempts[0]?.succeed();
    (await test.server.peer(1)).answer("its own");
    expect(await next.answered()).toBe("its own");
  });

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
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
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

describe("a request that waits for a connection", () => {
  it("hears of it where there is nobody to connect to, and was not started", async () => {
    await test.server.close();
    const heard = test.send();
    expect(await heard.failed()).toBe("ECONNREFUSED");
    expect(heard.isStarted).toBe(false);
    expect(test.client.count()).toEqual({ open: 0, idle: 0 });
  });

  it("hears of it where its address is refused before it is connected to", async () => {
    await test.close();
    test = await HttpClientUnderTest.start({
      connect: (_target, callback) => callback(new Error("forbidden")),
    });
    const heard = test.send();
    expect(await heard.failed()).toBe("forbidden");
    expect(heard.isStarted).toBe(false);
  });

  it("takes one that becomes free; that its own can't be opened afterwards is nobody's loss", async () => {
    const busy = test.send();
    const peer = await test.server.peer();
    test.isHolding = true;
    const [first, second] = [test.send(), test.send()];
    peer.answer("to the busy one");
    await busy.answered();
    await peer.asked(2);
    expect([first.isStarted, second.isStarted]).toEqual([true, false]);
    test.attempts[0]?.fail(new Error("refused"));
    peer.answer("to the first");
    expect(await first.answered()).toBe("to the first");
    await peer.asked(3);
    test.attempts[1]?.fail(new Error("refused"));
    peer.answer("to the second");
    expect(await second.answered()).toBe("to the second");
    await test.counts(1, 1);
  });

  it("takes the one that another was opening, where that one goes on a connection that became free", async () => {
    const busy = test.send();
    const peer = await test.server.peer();
    test.isHolding = true;
    const [first, second] = [test.send(), test.send()];
    peer.answer("to the busy one");
    await busy.answered();
    await peer.asked(2);
    // The second one's own: what the first has asked for is still to come.
    test.attempts[1]?.fail(new Error("refused"));
    expect(second.ending).toBeUndefined();
    test.attempts[0]?.succeed();
    (await test.server.peer(1)).answer("to the second");
    expect(await second.answered()).toBe("to the second");
    peer.answer("to the first");
    expect(await first.answered()).toBe("to the first");
  });

  it("fails with the last connection that was being opened for one that waits", async () => {
    const busy = test.send();
    const peer = await test.server.peer();
    test.isHolding = true;
    const [first, second] = [test.send(), test.send()];
    peer.answer("to the busy one");
    await busy.answered();
    await peer.asked(2);
    test.attempts[1]?.fail(new Error("refused"));
    test.attempts[0]?.fail(new Error("refused as well"));
    expect(await second.failed()).toBe("refused as well");
    peer.answer("to the first");
    expect(await first.answered()).toBe("to the first");
  });

  it("takes none that its server does not keep", async () => {
    for (const [index, fields] of [
      "connection: close\r\n",
      "keep-alive: timeout=1\r\n",
    ].entries()) {
      test.isHolding = false;
      const busy = test.send();
      const peer = await test.server.peer(index);
      test.isHolding = true;
      const waiting = test.send();
      peer.answer("ok", fields);
      await busy.answered();
      expect(waiting.isStarted).toBe(false);
      test.attempts[index]?.fail(new Error("refused"));
      expect(await waiting.failed()).toBe("refused");
      await peer.gone();
    }
  });

  it("takes none that was lost before its answer was read to the end", async () => {
    const busy = test.send(
      {},
      {
        onResponseData: (control) => {
          if (busy.body === "a") control.pause();
        },
      },
    );
    const peer = await test.server.peer();
    peer.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
    await busy.heard("a");
    test.isHolding = true;
    const waiting = test.send();
    test.sockets[0]?.destroy();
    busy.control?.resume();
    expect(await busy.answered()).toBe("ab");
    expect(waiting.isStarted).toBe(false);
    test.attempts[0]?.succeed();
    (await test.server.peer(1)).answer("ok");
    expect(await waiting.answered()).toBe("ok");
  });

  it("fails with its own, whoever else waits", async () => {
    test.isHolding = true;
    const waiting = [test.send(), test.send(), test.send()];
    test.attempts[1]?.fail(new Error("refused"));
    expect(waiting.map(({ ending }) => ending)).toEqual([undefined, "error", undefined]);
    test.attempts[2]?.succeed();
    (await test.server.peer(0)).answer("to the first");
    expect(await waiting[0]?.answered()).toBe("to the first");
    test.attempts[0]?.succeed();
    (await test.server.peer(0, 2)).answer("to the third");
    expect(await waiting[2]?.answered()).toBe("to the third");
    await test.counts(2, 2);
  });

  it("is passed over where it is given up as its turn comes: the next takes the connection", async () => {
    test.isHolding = true;
    const gone = test.send(
      {},
      { onRequestStart: (control) => control.abort(new Error("given up")) },
    );
    const next = test.send({ target: "/next" });
    test.attempts[0]?.succeed();
    const peer = await test.server.peer();
    expect(await gone.failed()).toBe("given up");
    expect(peer.received).toMatch(/^GET \/next HTTP\/1\.1\r\n/);
    peer.answer("ok");
    expect(await next.answered()).toBe("ok");
  });

  it("goes on the connection that another gives back while it is asked", async () => {
    await exchangeOn(0, 1);
    test.isHolding = true;
    let next: ReturnType<typeof test.send> | undefined;
    const gone = test.send(
      {},
      {
        onRequestStart: (control) => {
          next = test.send();
          control.abort(new Error("given up"));
        },
      },
    );
    expect(await gone.failed()).toBe("given up");
    (await test.server.peer(0, 2)).answer("ok");
    expect(await next?.answered()).toBe("ok");
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

describe("a client that is closed", () => {
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
