/** Requests whose body comes as a stream, and what becomes of those that don't go out as they should. */
import { PassThrough, Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useFakeIntervals, useRealIntervals } from "../../../test/support/fake-intervals.ts";
import { HttpClientUnderTest } from "../../../test/support/http-client-under-test.ts";
import { standstill, until } from "../../../test/support/poll.ts";
import type { RawPeer } from "../../../test/support/raw-server.ts";

let test: HttpClientUnderTest;
beforeEach(async () => {
  test = await HttpClientUnderTest.start();
});
afterEach(async () => {
  await test.close();
  useRealIntervals();
  for (const { surplus } of test.exchanges) expect(surplus).toEqual([]);
});

const post = (body: Readable | Buffer, length?: number) =>
  test.send({
    method: "POST",
    headers: length === undefined ? [] : ["content-length", String(length)],
    body,
  });
const pieces = (...texts: string[]): Readable =>
  Readable.from(texts.map((text) => Buffer.from(text)));
const bodyOf = ({ received }: RawPeer): string => received.slice(received.indexOf("\r\n\r\n") + 4);

/** What the server has got of the body, once it is this. */
async function gotBody(peer: RawPeer, body: string): Promise<void> {
  await until(`the body ${JSON.stringify(body)}`, () => bodyOf(peer) === body);
}

describe("a body that comes as a stream", () => {
  it("goes out as it is where its length is known", async () => {
    const heard = post(pieces("one", "", "two"), 6);
    const peer = await test.server.peer();
    await gotBody(peer, "onetwo");
    expect(peer.received).toContain("content-length: 6\r\n");
    expect(peer.received).not.toContain("transfer-encoding");
    peer.answer("ok");
    expect(await heard.answered()).toBe("ok");
    await test.counts(1, 1);
  });

  it("goes out in chunks where it is not, and an empty piece does not end it", async () => {
    const heard = post(pieces("one", "", "t".repeat(20)));
    const peer = await test.server.peer();
    await gotBody(peer, `3\r\none\r\n14\r\n${"t".repeat(20)}\r\n0\r\n\r\n`);
    expect(peer.received).toContain("transfer-encoding: chunked\r\n");
    expect(peer.received).not.toContain("content-length");
    peer.answer("ok");
    expect(await heard.answered()).toBe("ok");
    await test.counts(1, 1);
  });

  it("leaves nothing on the connection for the next one", async () => {
    for (let requests = 1; requests <= 3; requests += 1) {
      const heard = post(pieces("one"));
      const peer = await test.server.peer(0);
      await until("the body's end", () => peer.received.endsWith("\r\n0\r\n\r\n"));
      peer.received = "";
      peer.answer("ok");
      await heard.answered();
    }
    expect(test.sockets[0]?.listenerCount("drain")).toBe(0);
  });

  it("may be empty", async () => {
    const chunked = post(pieces());
    const peer = await test.server.peer();
    await gotBody(peer, "0\r\n\r\n");
    peer.answer("ok");
    await chunked.answered();
    peer.received = "";
    const measured = post(pieces(), 0);
    await peer.asked();
    peer.answer("ok");
    await measured.answered();
    expect(bodyOf(peer)).toBe("");
    await test.counts(1, 1);
  });

  it("that is shorter than its length is not passed off as whole", async () => {
    const heard = post(pieces("one"), 6);
    const peer = await test.server.peer();
    expect(await heard.failed()).toBe("ERR_CLIENT_REQUEST");
    await peer.gone();
    expect(bodyOf(peer)).toMatch(/^(?:one)?$/);
  });

  it("that is longer than its length sends nothing that could be the next request", async () => {
    const source = pieces("one", "two", "GET /evil HTTP/1.1\r\n");
    const heard = post(source, 6);
    const peer = await test.server.peer();
    expect(await heard.failed()).toBe("ERR_CLIENT_REQUEST");
    await peer.gone();
    expect("onetwo".startsWith(bodyOf(peer))).toBe(true);
    expect(source.destroyed).toBe(true);
  });

  it("that is one byte longer than its length does not send that byte", async () => {
    const heard = post(pieces("one", "two!"), 6);
    const peer = await test.server.peer();
    expect(await heard.failed()).toBe("ERR_CLIENT_REQUEST");
    await peer.gone();
    expect(bodyOf(peer)).not.toContain("!");
  });

  it("that fails at its source fails the exchange, and the server does not take it for whole", async () => {
    for (const [index, length] of [undefined, 100].entries()) {
      const source = new PassThrough();
      const heard = post(source, length);
      source.write("one");
      const peer = await test.server.peer(index);
      await until("the first piece", () => bodyOf(peer).includes("one"));
      source.destroy(new Error("the source is gone"));
      expect(await heard.failed()).toBe("the source is gone");
      await peer.gone();
      expect(bodyOf(peer)).not.toContain("0\r\n\r\n");
    }
  });

  it("that is given up without a word fails the exchange", async () => {
    const source = new PassThrough();
    const heard = post(source);
    const peer = await test.server.peer();
    source.destroy();
    expect(await heard.failed()).toBe("ERR_CLIENT_REQUEST");
    await peer.gone();
  });

  it("that has failed, or is over, before a connection is there sends nothing", async () => {
    test.isHolding = true;
    const failing = new PassThrough();
    failing.on("error", () => undefined);
    const givenUp = new PassThrough();
    const taken = pieces();
    const exchanges = [failing, givenUp, taken].map((source) => post(source));
    failing.destroy(new Error("the source is gone"));
    givenUp.destroy();
    taken.resume();
    await until("the stream's end", () => taken.readableEnded);
    test.attempts[0]?.succeed();
    const codes = await Promise.all(exchanges.map(async (heard) => heard.failed()));
    expect(codes).toEqual(["the source is gone", "ERR_CLIENT_REQUEST", "ERR_CLIENT_REQUEST"]);
    expect(exchanges.some(({ isStarted }) => isStarted)).toBe(false);
    await test.counts(1, 1);
    const next = test.send({ target: "/next" });
    const peer = await test.server.peer();
    expect(peer.received).toMatch(/^GET \/next /);
    peer.answer("ok");
    await next.answered();
  });

  it("is given up with its exchange", async () => {
    const source = new PassThrough();
    const heard = post(source);
    const peer = await test.server.peer();
    heard.control?.abort(new Error("given up"));
    expect(source.destroyed).toBe(true);
    await peer.gone();
    const other = new PassThrough();
    const cut = post(other);
    (await test.server.peer(1)).socket.resetAndDestroy();
    expect(await cut.failed()).toBe("ECONNRESET");
    expect(other.destroyed).toBe(true);
  });
});

/** More than the kernel holds for one connection that nobody reads. */
const LARGE = 24 * 1024 * 1024;

/** Gives as much as is taken while it flows. */
class Spring extends Readable {
  given = 0;
  #state: "flows" | "rests" | "is over" = "flows";
  #isAsked = false;

  override _read(): void {
    this.#isAsked = true;
    this.#give();
  }

  become(state: "flows" | "rests" | "is over"): void {
    this.#state = state;
    this.#give();
  }

  #give(): void {
    if (!this.#isAsked || this.#state === "rests") return;
    this.#isAsked = false;
    const piece = this.#state === "flows" ? Buffer.alloc(64 * 1024) : null;
    this.given += piece?.length ?? 0;
    this.push(piece);
  }
}

describe("a server that does not take the body", () => {
  it("stops its source; when it goes on, so does that", async () => {
    const source = new Spring();
    const heard = post(source);
    const peer = await until("the connection", () => test.server.peers[0]);
    peer.socket.pause();
    await until("a connection that is full", () => test.sockets[0]?.writableNeedDrain);
    await standstill(() => source.given);
    expect(test.sockets[0]?.writableLength).toBeLessThan(1024 * 1024);
    source.become("is over");
    peer.socket.resume();
    await until("the whole body", () => peer.received.endsWith("\r\n0\r\n\r\n"));
    peer.answer("ok");
    expect(await heard.answered()).toBe("ok");
    await test.counts(1, 1);
  });

  it("and answers before it has is not asked again on that connection", async () => {
    const source = new PassThrough();
    const heard = post(source, 100);
    source.write("one");
    const peer = await test.server.peer();
    await gotBody(peer, "one");
    peer.answer("enough");
    expect(await heard.answered()).toBe("enough");
    expect(source.destroyed).toBe(true);
    await peer.gone();
    expect(bodyOf(peer)).toBe("one");
    await test.counts(0, 0);
  });

  it("and answers before it has is not asked again, where the body is no stream either", async () => {
    const heard = post(Buffer.alloc(LARGE));
    const peer = await until("the connection", () => test.server.peers[0]);
    peer.socket.pause();
    peer.answer("enough");
    expect(await heard.answered()).toBe("enough");
    await test.counts(0, 0);
  });
});

const pass = async (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("the time that a server has for its answer", () => {
  beforeEach(async () => {
    await test.close();
    useFakeIntervals();
    test = await HttpClientUnderTest.start({ headersTimeoutMs: 10_000 });
  });

  it("does not begin before the body's last byte", async () => {
    const source = new PassThrough();
    const heard = post(source);
    const peer = await test.server.peer();
    await pass(60_000);
    source.write("one");
    await gotBody(peer, "3\r\none\r\n");
    await pass(60_000);
    source.end();
    await gotBody(peer, "3\r\none\r\n0\r\n\r\n");
    await pass(9_000);
    expect(heard.ending).toBeUndefined();
    await pass(1_000);
    expect(await heard.failed()).toBe("ERR_CLIENT_HEADERS_TIMEOUT");
    await peer.gone();
  });

  it("is there for a piece of the body that comes late", async () => {
    const source = new PassThrough({ highWaterMark: LARGE });
    const heard = post(source);
    const peer = await test.server.peer();
    peer.socket.pause();
    await pass(60_000);
    source.write(Buffer.alloc(LARGE));
    await until("a connection that is full", () => test.sockets[0]?.writableNeedDrain);
    await pass(9_000);
    expect(heard.ending).toBeUndefined();
    await pass(1_000);
    expect(await heard.failed()).toBe("ERR_CLIENT_HEADERS_TIMEOUT");
  });

  it("is also the time for taking the next of the body", async () => {
    const source = new Spring();
    source.become("rests");
    const heard = post(source);
    const peer = await test.server.peer();
    peer.socket.pause();
    await pass(60_000);
    source.become("flows");
    await standstill(() => source.given);
    await pass(9_000);
    source.become("rests");
    peer.socket.resume();
    await until("what was sent is taken", () => test.sockets[0]?.writableLength === 0);
    await pass(60_000);
    expect(heard.ending).toBeUndefined();
    peer.socket.pause();
    source.become("flows");
    await standstill(() => source.given);
    await pass(9_000);
    expect(heard.ending).toBeUndefined();
    await pass(1_000);
    expect(await heard.failed()).toBe("ERR_CLIENT_HEADERS_TIMEOUT");
    expect(source.destroyed).toBe(true);
  });
});
