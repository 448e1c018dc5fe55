/** What happens on one connection, against a server on raw sockets: answers, their time, and their flow. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useFakeIntervals, useRealIntervals } from "../../../test/support/fake-intervals.ts";
import { HttpClientUnderTest } from "../../../test/support/http-client-under-test.ts";
import { standstill, turns, until } from "../../../test/support/poll.ts";
import { HeaderFields } from "../http/header-fields.ts";
import type { ExchangeControl } from "./exchange-listener.ts";

let test: HttpClientUnderTest;
beforeEach(async () => {
  test = await HttpClientUnderTest.start();
});
afterEach(async () => {
  await test.close();
  useRealIntervals();
  for (const { surplus } of test.exchanges) expect(surplus).toEqual([]);
});

/** One more exchange, on the connection with this number, that is its n-th. */
async function exchangeOn(index: number, requests: number): Promise<void> {
  const heard = test.send();
  (await test.server.peer(index, requests)).answer("ok");
  expect(await heard.answered()).toBe("ok");
}

/** So many bytes in all have reached the client. */
async function reached(bytes: number): Promise<void> {
  await until(`${bytes} bytes at the client`, () => test.sockets[0]?.bytesRead === bytes);
}

describe("an answer", () => {
  it("without a length lasts until its connection ends", async () => {
    const heard = test.send();
    const peer = await test.server.peer();
    peer.send("HTTP/1.1 200 OK\r\n\r\none ");
    await heard.heard("one ");
    peer.send("two");
    await heard.heard("one two");
    expect(heard.ending).toBeUndefined();
    peer.socket.end();
    expect(await heard.answered()).toBe("one two");
    await test.counts(0, 0);
  });

  it("to HEAD, and of a status without a body, has none, whatever its head says", async () => {
    const answers = [
      ["HEAD", "200 OK\r\ncontent-length: 5"],
      ["HEAD", "200 OK\r\ntransfer-encoding: chunked"],
      ["HEAD", "200 OK"],
      ["GET", "204 No Content"],
      ["GET", "304 Not Modified\r\ncontent-length: 5"],
    ] as const;
    for (const [index, [method, head]] of answers.entries()) {
      const heard = test.send({ method });
      (await test.server.peer(0, index + 1)).send(`HTTP/1.1 ${head}\r\n\r\n`);
      expect(await heard.answered()).toBe("");
      expect(heard.heads).toHaveLength(1);
    }
    await exchangeOn(0, answers.length + 1);
  });

  it("comes behind interim ones, which are told of", async () => {
    const heard = test.send();
    const peer = await test.server.peer();
    peer.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 2");
    await until("the interim answers", () => heard.heads.length === 2);
    peer.send("02 Accepted\r\nx-a: b\r\ncontent-length: 2\r\n\r\nok");
    expect(await heard.answered()).toBe("ok");
    expect(heard.heads).toEqual([
      { status: 100, headers: HeaderFields.from({}) },
      { status: 103, headers: HeaderFields.from({ link: "a" }) },
      { status: 202, headers: HeaderFields.from({ "x-a": "b", "content-length": "2" }) },
    ]);
    await exchangeOn(0, 2);
  });

  it("that changes the protocol is refused", async () => {
    const heard = test.send();
    const peer = await test.server.peer();
    peer.send(
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: a\r\nconnection: upgrade\r\n\r\nanything",
    );
    expect(await heard.failed()).toBe("ERR_CLIENT_RESPONSE");
    expect(heard.heads).toEqual([]);
    await peer.gone();
  });

  it("that can't be read ends the exchange and the connection, after what of it could be", async () => {
    const answers = [
      ["SSH-2.0-a\r\n", ""],
      ["HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", ""],
      [`HTTP/1.1 200 OK\r\nx-a: ${"a".repeat(33_000)}`, ""],
      ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\nx", "ok"],
      ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nokay", "ok"],
    ];
    for (const [index, [bytes = "", body]] of answers.entries()) {
      const heard = test.send();
      const peer = await test.server.peer(index);
      peer.send(bytes);
      expect(await heard.failed(), bytes.slice(0, 80)).toBe("ERR_CLIENT_RESPONSE");
      expect(heard.body).toBe(body);
      await peer.gone();
    }
    await test.counts(0, 0);
  });

  it("that ends before its end is one that was cut", async () => {
    const answers = [
      "",
      "HTTP/1.1 200 OK\r\ncontent-le",
      "HTTP/1.1 103 Early Hints\r\n\r\n",
      "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfour",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
    ];
    for (const [index, bytes] of answers.entries()) {
      const heard = test.send();
      const peer = await test.server.peer(index);
      peer.socket.end(bytes);
      expect(await heard.failed(), bytes).toBe("ERR_CLIENT_CUT");
      await peer.gone();
    }
    await test.counts(0, 0);
  });

  it("that is reset ends with what the system says", async () => {
    const heard = test.send();
    const peer = await test.server.peer();
    peer.send("HTTP/1.1 200 OK\r\n\r\nbegun");
    await heard.heard("begun");
    peer.socket.resetAndDestroy();
    expect(await heard.failed()).toBe("ECONNRESET");
    await test.counts(0, 0);
  });
});

const pass = async (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("a connection that is lost on this side", () => {
  it("ends its exchange", async () => {
    const heard = test.send();
    await test.server.peer();
    test.sockets[0]?.destroy();
    expect(await heard.failed()).toBe("ERR_CLIENT_CUT");
    await test.counts(0, 0);
  });
});

describe("in time", () => {
  beforeEach(async () => {
    await test.close();
    useFakeIntervals();
    test = await HttpClientUnderTest.start({ headersTimeoutMs: 10_000, bodyIdleTimeoutMs: 5_000 });
  });

  it("an answer must begin", async () => {
    const heard = test.send();
    const peer = await test.server.peer();
    await pass(9_000);
    expect(heard.ending).toBeUndefined();
    await pass(1_000);
    expect(await heard.failed()).toBe("ERR_CLIENT_HEADERS_TIMEOUT");
    await peer.gone();
    await test.counts(0, 0);
  });

  it("all of an answer's head must come, however it drips", async () => {
    const heard = test.send();
    const peer = await test.server.peer();
    for (const [index, letter] of "HTTP/".split("").entries()) {
      peer.send(letter);
      await reached(index + 1);
      expect(heard.ending).toBeUndefined();
      await pass(2_000);
    }
    expect(await heard.failed()).toBe("ERR_CLIENT_HEADERS_TIMEOUT");
  });

  it("an answer must begin behind an interim one, which has the time of its own", async () => {
    const heard = test.send();
    const peer = await test.server.peer();
    await pass(9_000);
    peer.send("HTTP/1.1 103 Early Hints\r\n\r\n");
    await until("the interim answer", () => heard.heads.length === 1);
    await pass(9_000);
    expect(heard.ending).toBeUndefined();
    await pass(1_000);
    expect(await heard.failed()).toBe("ERR_CLIENT_HEADERS_TIMEOUT");
  });

  it("one piece of its body must come behind the other, the first behind the head", async () => {
    const heard = test.send();
    const peer = await test.server.peer();
    await pass(9_000);
    peer.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n");
    await until("the head", () => heard.heads.length === 1);
    for (const body of ["a", "aa", "aaa"]) {
      await pass(4_000);
      peer.send("a");
      await heard.heard(body);
    }
    await pass(4_000);
    expect(heard.ending).toBeUndefined();
    await pass(1_000);
    expect(await heard.failed()).toBe("ERR_CLIENT_BODY_TIMEOUT");
    await peer.gone();
  });

  it("nothing must come while the reader has paused; from when it goes on it must", async () => {
    const heard = test.send({}, { onResponseData: (control) => control.pause() });
    const peer = await test.server.peer();
    peer.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nbegun");
    await heard.heard("begun");
    await pass(60_000);
    heard.control?.resume();
    await pass(4_000);
    expect(heard.ending).toBeUndefined();
    await pass(1_000);
    expect(await heard.failed()).toBe("ERR_CLIENT_BODY_TIMEOUT");
  });

  it("an answer must begin, however often its reader goes on without having paused", async () => {
    const heard = test.send();
    const peer = await test.server.peer();
    await pass(9_000);
    heard.control?.resume();
    await pass(1_000);
    expect(await heard.failed()).toBe("ERR_CLIENT_HEADERS_TIMEOUT");
    await peer.gone();
  });

  it("nothing must begin while the reader has paused", async () => {
    const heard = test.send({}, { onRequestStart: (control) => control.pause() });
    const peer = await test.server.peer();
    peer.answer("ok");
    await pass(60_000);
    expect(heard.ending).toBeUndefined();
    heard.control?.resume();
    expect(await heard.answered()).toBe("ok");
  });

  it("other exchanges than the one that is late go on", async () => {
    const late = test.send();
    await test.server.peer();
    await pass(9_000);
    const other = test.send();
    const peer = await test.server.peer(1);
    await pass(1_000);
    expect(await late.failed()).toBe("ERR_CLIENT_HEADERS_TIMEOUT");
    peer.answer("ok");
    expect(await other.answered()).toBe("ok");
  });
});

/** How what comes is handed to a connection. */
const WAYS = [
  { name: "read into a buffer", readsThroughStreams: false },
  { name: "read through its socket", readsThroughStreams: true },
];

describe("a reader that pauses", () => {
  it("stops its server, and gets all of it when it goes on", async () => {
    let received = 0;
    const take = (control: ExchangeControl, chunk: Buffer): void => {
      if (received === 0) control.pause();
      received += chunk.length;
    };
    const heard = test.send({}, { onResponseData: take });
    const peer = await test.server.peer();
    peer.send("HTTP/1.1 200 OK\r\n\r\n");
    let sent = 0;
    // As much as the server gets rid of, without an end.
    const pump = (): void => {
      let isTaken = true;
      while (isTaken) {
        sent += 64 * 1024;
        isTaken = peer.socket.write(Buffer.alloc(64 * 1024, "0123456789abcdef"));
      }
    };
    peer.socket.on("drain", pump);
    pump();
    await until("the first piece", () => received > 0);
    const receivedBefore = received;
    await standstill(() => sent);
    expect(received).toBe(receivedBefore);
    expect(test.sockets[0]?.readableLength).toBeLessThan(1024 * 1024);

    peer.socket.off("drain", pump);
    heard.control?.resume();
    peer.socket.end();
    const body = await heard.answered();
    expect(received).toBe(sent);
    expect(body === "0123456789abcdef".repeat(sent / 16)).toBe(true);
  });

  it.each(WAYS)(
    "gets the rest piece by piece where its server has ended the connection meanwhile, $name",
    async ({ readsThroughStreams }) => {
      test.readsThroughStreams = readsThroughStreams;
      for (const [index, { head, first, rest }] of [
        {
          head: "connection: close\r\ntransfer-encoding: chunked",
          first: "1\r\na\r\n",
          rest: "1\r\nb\r\n1\r\nc\r\n0\r\n\r\n",
        },
        { head: "connection: close", first: "a", rest: "bc" },
        {
          head: "transfer-encoding: chunked",
          first: "1\r\na\r\n",
          rest: "1\r\nb\r\n1\r\nc\r\n0\r\n\r\n",
        },
      ].entries()) {
        const heard = test.send({}, { onResponseData: (control) => control.pause() });
        const peer = await test.server.peer(index);
        peer.send(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${first}`);
        await heard.heard("a");
        await peer.sent(rest, { isLast: true });
        while (heard.ending === undefined) {
          await turns(5);
          const before = heard.body;
          heard.control?.resume();
          // It had come before, and has paused its reader again.
          if (heard.body !== before) expect(test.sockets[index]?.isPaused()).toBe(true);
        }
        expect(await heard.answered()).toBe("abc");
        await peer.gone();
      }
      await test.counts(0, 0);
    },
  );

  it.each(WAYS)(
    "may give up at the last piece, when its server has ended the connection already, $name",
    async ({ readsThroughStreams }) => {
      test.readsThroughStreams = readsThroughStreams;
      const heard = test.send(
        {},
        {
          onResponseData: (control) => {
            if (heard.body === "a") control.pause();
            else control.abort(new Error("given up"));
          },
        },
      );
      const peer = await test.server.peer();
      peer.send("HTTP/1.1 200 OK\r\n\r\na");
      await heard.heard("a");
      await peer.sent("b", { isLast: true });
      await turns(5);
      heard.control?.resume();
      expect(await heard.failed()).toBe("given up");
      await peer.gone();
    },
  );

  it("hears that its connection was reset when it goes on", async () => {
    const heard = test.send({}, { onResponseData: (control) => control.pause() });
    const peer = await test.server.peer();
    peer.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbegun");
    await heard.heard("begun");
    peer.socket.resetAndDestroy();
    await turns(5);
    heard.control?.resume();
    expect(await heard.failed()).toBe("ECONNRESET");
  });

  it("on the last piece hears of the end, and its connection is used again", async () => {
    const heard = test.send({}, { onResponseData: (control) => control.pause() });
    (await test.server.peer()).answer("ok");
    expect(await heard.answered()).toBe("ok");
    await exchangeOn(0, 2);
  });
});
