import { once } from "node:events";
import { connect, createServer, Socket, type AddressInfo, type Server } from "node:net";
import { promisify } from "node:util";
import { afterEach, expect, it } from "vitest";
import { turns, until } from "../../../test/support/poll.ts";
import { takeReads } from "./shared-reads.ts";

let server: Server | undefined;

afterEach(() => {
  server?.close();
});

async function acceptOne(onRead: (bytes: Buffer) => void) {
  const listening = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
  server = listening;
  await once(listening, "listening");
  const client = connect((listening.address() as AddressInfo).port, "127.0.0.1");
  const [accepted] = (await once(listening, "connection")) as [Socket];
  return { client, accepted, socket: takeReads(accepted, onRead), listening };
}

it("what comes on accepted connections is read into one buffer, and each has its own bytes", async () => {
  const texts = ["", ""];
  const first = await acceptOne((bytes) => (texts[0] += bytes.toString()));
  // If this fails with another version of Node, what comes is read by events, at 6 us a call: see `takeReads`.
  expect(first.socket).not.toBe(first.accepted);
  const kept: Buffer[] = [];
  const second = await acceptOne((bytes) => kept.push(bytes));
  first.client.write("abc");
  second.client.write("defg");
  await until("both have come", () => texts[0] === "abc" && kept.length === 1);
  first.client.write("xyz");
  await until("the rest has come", () => texts[0] === "abcxyz");
  expect(Buffer.concat(kept).toString()).toBe("defg");
  first.socket.write("answer");
  const [answer] = (await once(first.client, "data")) as [Buffer];
  expect(answer.toString()).toBe("answer");
  for (const { client, listening } of [first, second]) {
    client.destroy();
    listening.close();
  }
});

it("a server counts an accepted connection until it is closed, by whichever side", async () => {
  for (const side of ["client", "socket"] as const) {
    const one = await acceptOne(() => undefined);
    const count = promisify(one.listening.getConnections.bind(one.listening));
    expect(await count()).toBe(1);
    // What is not read by events is at its end at once.
    one.socket.on("end", () => one.socket.destroy());
    one[side].destroy();
    await until("none is left", async () => (await count()) === 0);
    await promisify(one.listening.close.bind(one.listening))();
  }
});

it("what is held back stays in the kernel until it is wanted", async () => {
  let bytes = 0;
  const { client, socket } = await acceptOne((chunk) => (bytes += chunk.length));
  socket.pause();
  const size = 32 * 1024 * 1024;
  client.write(Buffer.alloc(size));
  await until("the client has to wait", () => client.writableLength > 0);
  const before = bytes;
  await turns(50);
  expect([before, bytes]).toEqual([0, 0]);
  socket.resume();
  await until("all of it has come", () => bytes === size);
  client.destroy();
  socket.destroy();
});

it("where Node shows no connection beneath, what comes is read by events", async () => {
  const kept: Buffer[] = [];
  const accepted = new Socket();
  accepted.pause();
  expect(takeReads(accepted, (bytes) => kept.push(bytes))).toBe(accepted);
  accepted.push("abc");
  await until("it has come", () => kept.length > 0);
  expect(Buffer.concat(kept).toString()).toBe("abc");
});
