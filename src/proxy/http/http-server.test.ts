import { afterEach, describe, expect, it } from "vitest";
import { openConnection } from "../../../test/hostile/support/raw-connection.ts";
import { until } from "../../../test/support/poll.ts";
import { serveHandler, type ServedHandler } from "../../../test/support/serve-handler.ts";
import type { GatewayReply } from "../gateway-request.ts";
import type { ConnectionLimits } from "./connection-limits.ts";
import type { HttpHandler, HttpRequest } from "./handler.ts";

let served: ServedHandler | undefined;
afterEach(async () => {
  await served?.close();
  served = undefined;
});

async function connectTo(handler: HttpHandler, limits: Partial<ConnectionLimits> = {}) {
  served = await serveHandler(handler, limits);
  return openConnection(served.url);
}

/** Reads the body, then answers with it. */
const echo: HttpHandler = (request, reply) => {
  const chunks: Buffer[] = [];
  request.body.read({
    onData: (chunk) => chunks.push(chunk),
    onEnd: () => {
      reply.writeHead(200, []);
      reply.end(Buffer.concat(chunks));
    },
    onBroken: () => undefined,
  });
};
const answerWith =
  (headers: readonly string[], ...pieces: string[]): HttpHandler =>
  (_request, reply) => {
    reply.writeHead(200, headers);
    for (const piece of pieces) reply.write(Buffer.from(piece));
    reply.end();
  };
const get = (more = "", line = "GET / HTTP/1.1"): string => `${line}\r\nhost: a\r\n${more}\r\n`;

describe("a reply", () => {
  it("in one piece has its length, and is one packet with its head", async () => {
    const connection = await connectTo(echo);
    const packets: string[] = [];
    connection.socket.on("data", (data: Buffer) => packets.push(data.toString()));
    connection.send(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello`);
    const { responses } = await connection.answered();
    expect(responses[0]?.headers.get("content-length")).toBe("5");
    expect(responses[0]?.headers.get("date")).toMatch(/ GMT$/);
    expect(packets).toHaveLength(1);
  });

  it("that comes piece by piece is chunked; to HTTP/1.0 it ends with its connection", async () => {
    const connection = await connectTo(answerWith([], "one", "two"));
    connection.send(get());
    const { responses } = await connection.answered();
    expect(responses[0]?.body.toString()).toBe("onetwo");
    expect(responses[0]?.headers.get("transfer-encoding")).toBe("chunked");
    const old = await openConnection(served?.url ?? "");
    old.send(get("connection: keep-alive\r\n", "GET / HTTP/1.0"));
    await old.ended();
    expect(old.responses().responses[0]?.body.toString()).toBe("onetwo");
  });

  it("with a length keeps the connection of HTTP/1.0 where that asks for it", async () => {
    const connection = await connectTo(answerWith(["content-length", "3"], "one"));
    connection.send(get("connection: keep-alive\r\n", "GET / HTTP/1.0").repeat(2));
    expect((await connection.answered(2)).responses).toHaveLength(2);
    connection.send(get("", "GET / HTTP/1.0"));
    expect(await connection.ended()).toBe("closed");
  });

  it("to HEAD, and of a status without a body, has none", async () => {
    const connection = await connectTo((request, reply) => {
      reply.writeHead(request.method === "HEAD" ? 200 : 204, []);
      reply.end(Buffer.from("nothing of this"));
    });
    connection.send(`${get("", "HEAD / HTTP/1.1")}${get()}`);
    const { responses, rest } = await connection.answered(2, ["HEAD", "GET"]);
    expect(responses.map(({ status, body }) => [status, body.length])).toEqual([
      [200, 0],
      [204, 0],
    ]);
    expect(rest).toHaveLength(0);
  });

  it("that is given as a whole is the one whose head and body are given one by one", async () => {
    const body = Buffer.from("hello");
    const answers = [
      { method: "GET", status: 200, headers: ["x-a", "b"], body },
      { method: "GET", status: 200, headers: ["content-length", "5"], body },
      { method: "GET", status: 200, headers: [], body: undefined },
      { method: "GET", status: 204, headers: [], body },
      { method: "HEAD", status: 200, headers: ["content-length", "5"], body },
      { method: "GET", status: 500, headers: ["connection", "close"], body },
    ];
    const given: string[] = [];
    for (const isWhole of [true, false]) {
      let next = 0;
      const connection = await connectTo((_request, reply) => {
        const { status, headers, body: bytes } = answers[next++] ?? {};
        if (status === undefined || headers === undefined) return;
        if (isWhole) reply.answer(status, headers, bytes);
        else {
          reply.writeHead(status, headers);
          reply.end(bytes);
        }
        expect(reply.isHeadSent && reply.isClosed).toBe(true);
      });
      connection.send(answers.map(({ method }) => get("", `${method} / HTTP/1.1`)).join(""));
      expect(await connection.ended()).toBe("closed");
      given.push(
        connection
          .received()
          .toString()
          .replaceAll(/^date: .*$/gm, ""),
      );
      await served?.close();
    }
    expect(given[0]).toBe(given[1]);
    expect(given[0]?.match(/HTTP\/1\.1 /g)).toHaveLength(answers.length);
  });

  it("that is shorter or longer than its head has promised cuts the connection", async () => {
    for (const pieces of [["one"], ["one", "two"]]) {
      const connection = await connectTo(answerWith(["content-length", "5"], ...pieces));
      connection.send(get());
      await connection.ended();
      expect(connection.responses().responses).toEqual([]);
      await served?.close();
    }
  });

  it("cannot be split by what stands in a header", async () => {
    const thrown: unknown[] = [];
    const connection = await connectTo((_request, reply) => {
      for (const headers of [
        ["x-a", "b\r\nx-c: d"],
        ["x-a", "b\nc"],
        ["x-a\r\nx-b", "c"],
        ["x a", "b"],
        ["content-length", "1, 1"],
      ]) {
        try {
          reply.writeHead(200, headers);
        } catch (err) {
          thrown.push(err);
        }
      }
      reply.writeHead(200, ["x-a", "b"]);
      reply.end();
    });
    connection.send(get());
    const { responses } = await connection.answered();
    expect(thrown).toHaveLength(5);
    expect(responses[0]?.headers.get("x-a")).toBe("b");
  });

  it("to a client that does not take it is told so, goes on when it does, and is over when all has left", async () => {
    const piece = Buffer.alloc(64 * 1024);
    const seen = { sent: 0, drains: 0, isOver: false };
    const handler: HttpHandler = (_request, reply) => {
      const pump = (): void => {
        while (seen.sent < 400) {
          seen.sent += 1;
          if (!reply.write(piece)) return;
        }
        reply.end();
      };
      reply.listen({
        onDrain: () => {
          seen.drains += 1;
          pump();
        },
        onClientGone: () => undefined,
      });
      reply.onceOver(() => (seen.isOver = true));
      reply.writeHead(200, []);
      pump();
    };
    served = await serveHandler(handler);
    const connection = await openConnection(served.url, { isPaused: true });
    connection.send(get());
    await until("the reply stands still", () => seen.sent > 0 && seen.sent < 400);
    expect(seen.isOver).toBe(false);
    connection.socket.resume();
    await until("the reply is over", () => seen.isOver);
    expect(seen.drains).toBeGreaterThan(0);
    await until("all has come", () => connection.socket.bytesRead > 400 * piece.length);
    connection.close();
  });
});

describe("a body", () => {
  it("is asked for when somebody reads it, and not before", async () => {
    const held = Promise.withResolvers<{ request: HttpRequest; reply: GatewayReply }>();
    const connection = await connectTo((request, reply) => held.resolve({ request, reply }));
    connection.send(
      "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n",
    );
    const { request, reply } = await held.promise;
    expect(connection.received()).toHaveLength(0);
    echo(request, reply);
    await until("the go-ahead", () => connection.received().length > 0);
    connection.send("ok");
    const { responses, interim } = await connection.answered();
    expect(interim).toEqual([100]);
    expect(responses[0]?.body.toString()).toBe("ok");
  });

  it("that was not asked for is not waited for: the connection ends with the answer", async () => {
    const connection = await connectTo(answerWith([], "no"));
    connection.send(
      "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n",
    );
    await connection.ended();
    const { responses, interim } = connection.responses();
    expect(interim).toEqual([]);
    expect(responses[0]?.headers.get("connection")).toBe("close");
  });

  it("that nobody reads is dropped behind the answer, and the connection serves on", async () => {
    const connection = await connectTo(answerWith([], "no"));
    connection.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 200000\r\n\r\n");
    expect((await connection.answered()).responses).toHaveLength(1);
    connection.send(`${"x".repeat(200_000)}${get()}`);
    expect((await connection.answered(2)).responses).toHaveLength(2);
  });

  it("stands still while its reader does, and comes whole afterwards", async () => {
    const held = Promise.withResolvers<HttpRequest["body"]>();
    let bytes = 0;
    const connection = await connectTo((request, reply) => {
      request.body.read({
        onData: (chunk) => {
          bytes += chunk.length;
          request.body.pause();
          held.resolve(request.body);
        },
        onEnd: () => {
          reply.writeHead(200, []);
          reply.end();
        },
        onBroken: () => undefined,
      });
    });
    const whole = 32 * 1024 * 1024;
    connection.send(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${whole}\r\n\r\n`);
    connection.send(Buffer.alloc(whole));
    const body = await held.promise;
    // The kernel's buffers are full when nothing leaves any more.
    let left = -1;
    await until("nothing moves", () => {
      const isStill = left === connection.socket.writableLength;
      left = connection.socket.writableLength;
      return isStill;
    });
    expect(bytes).toBeLessThan(whole / 2);
    const wake = setInterval(() => body.resume(), 0);
    expect((await connection.answered()).responses[0]?.status).toBe(200);
    clearInterval(wake);
    expect(bytes).toBe(whole);
  });

  it("whose client goes away breaks, and its reply is told", async () => {
    const told: string[] = [];
    const connection = await connectTo((request, reply) => {
      reply.listen({ onDrain: () => undefined, onClientGone: () => told.push("reply") });
      reply.onceOver(() => told.push("over"));
      request.body.read({
        onData: () => told.push("data"),
        onEnd: () => told.push("end"),
        onBroken: () => told.push("broken"),
      });
    });
    connection.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf");
    await until("the half has come", () => told.length > 0);
    connection.reset();
    await until("it is over", () => told.includes("over"));
    expect(told).toEqual(["data", "broken", "reply", "over"]);
  });
});

describe("a server", () => {
  it("that closes ends idle connections at once, and others after their answer", async () => {
    const held = Promise.withResolvers<GatewayReply>();
    const connection = await connectTo((_request, reply) => held.resolve(reply));
    const idle = await openConnection(served?.url ?? "");
    connection.send(get());
    const reply = await held.promise;
    let isClosed = false;
    const closing = served?.server.close().then(() => (isClosed = true));
    await idle.ended();
    expect(isClosed).toBe(false);
    reply.writeHead(200, []);
    reply.end();
    const { responses } = await connection.answered();
    expect(responses[0]?.headers.get("connection")).toBe("close");
    await closing;
    served = undefined;
  });

  it("answers requests of one connection one after the other", async () => {
    const replies: GatewayReply[] = [];
    const connection = await connectTo((_request, reply) => replies.push(reply));
    connection.send(get().repeat(3));
    for (let turn = 1; turn <= 3; turn += 1) {
      await until("the next is handed on", () => replies.length === turn);
      replies.at(-1)?.writeHead(200, []);
      replies.at(-1)?.end(Buffer.from(String(turn)));
    }
    const { responses } = await connection.answered(3);
    expect(responses.map(({ body }) => body.toString())).toEqual(["1", "2", "3"]);
  });
});
