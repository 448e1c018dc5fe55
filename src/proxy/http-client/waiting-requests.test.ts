/** Requests for which a connection is being opened: which one they get, and which of them goes without. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HttpClientUnderTest } from "../../../test/support/http-client-under-test.ts";

let test: HttpClientUnderTest;
beforeEach(async () => {
  test = await HttpClientUnderTest.start();
});
afterEach(async () => {
  await test.close();
  for (const { surplus } of test.exchanges) expect(surplus).toEqual([]);
});

/** One exchange, on the connection with this number, that is its n-th. */
async function exchangeOn(index: number, requests: number): Promise<void> {
  const heard = test.send();
  (await test.server.peer(index, requests)).answer("ok");
  expect(await heard.answered()).toBe("ok");
}

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

  it("goes without after those that came before it", async () => {
    const busy = [test.send(), test.send()];
    const peers = [await test.server.peer(0), await test.server.peer(1)];
    test.isHolding = true;
    const waiting = [test.send(), test.send(), test.send(), test.send()];
    for (const peer of peers) peer.answer("ok");
    for (const heard of busy) await heard.answered();
    for (const peer of peers) await peer.asked(2);
    // The connections that the first two have asked for are still to come, and will do for the others.
    test.attempts[2]?.fail(new Error("refused"));
    test.attempts[3]?.fail(new Error("refused"));
    expect(waiting.map(({ ending }) => ending)).toEqual(Array(4).fill(undefined));
    test.attempts[0]?.fail(new Error("refused"));
    expect(await waiting[3]?.failed()).toBe("refused");
    test.attempts[1]?.succeed();
    (await test.server.peer(2)).answer("to the third");
    expect(await waiting[2]?.answered()).toBe("to the third");
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
