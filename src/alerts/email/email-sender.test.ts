import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HOSTILE_NAME, sampleMessage, sampleNotice } from "../../../test/support/alert-samples.ts";
import { ForbiddenAddressError } from "../../core/network/forbidden-address-error.ts";
import { createEmailSender } from "./email-sender.ts";

interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly source: string;
}

let mails: ReceivedMail[];
let servers: SMTPServer[];
let sockets: Socket[];

beforeEach(() => {
  mails = [];
  servers = [];
  sockets = [];
});
afterEach(async () => {
  for (const server of servers) {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
  // Whatever became of a mail, its connection is closed.
  expect(sockets.every((socket) => socket.destroyed)).toBe(true);
});

/** A real SMTP server; returns its port. */
async function startServer(options: SMTPServerOptions = {}): Promise<number> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    closeTimeout: 100,
    async onData(stream, session, done) {
      const { mailFrom, rcptTo } = session.envelope;
      const from = mailFrom === false ? "" : mailFrom.address;
      const source = await text(stream);
      mails.push({ from, to: rcptTo.map(({ address }) => address), source });
      done();
    },
    ...options,
  });
  servers.push(server);
  return await new Promise((resolve) => {
    const listener = server.listen(0, "127.0.0.1", () => {
      resolve((listener.address() as { readonly port: number }).port);
    });
  });
}

const sender = (timeoutMs = 5_000) =>
  createEmailSender({
    timeoutMs,
    connect: ({ hostname, port }) =>
      new Promise((resolve, reject) => {
        const socket = connect({ host: hostname, port }, () => resolve(socket));
        socket.once("error", reject);
        sockets.push(socket);
      }),
  });

const targetAt = (port: number, userInfo = "") => ({
  kind: "email" as const,
  smtpUrl: `smtp://${userInfo}127.0.0.1:${port}`,
  sender: "keyward@example.com",
  recipients: ["ops@example.com", "anna@example.com"],
});
const { signal } = new AbortController();

test("arrives at every recipient, as plain text with the figures and what to do next", async () => {
  const port = await startServer();
  const message = sampleMessage();
  expect(await sender().send(message, targetAt(port), signal)).toEqual({ kind: "delivered" });
  expect(mails).toHaveLength(1);
  expect(mails[0]).toMatchObject({
    from: "keyward@example.com",
    to: ["ops@example.com", "anna@example.com"],
  });
  const { headers, body } = partsOf(mails[0]);
  expect(headers).toContain("Subject: [Keyward] Budget monthly of customer acme is at 83 %");
  expect(headers).toContain(`Message-ID: <${message.id}@example.com>`);
  expect(headers).toContain("Content-Type: text/plain; charset=utf-8");
  expect(headers).toContain("Auto-Submitted: auto-generated");
  expect(body).toContain("spent: $83.10 of $100.00\r\nNext: keyward budgets show bud_1");
});

test("takes no header and no line from a name", async () => {
  const port = await startServer();
  const notice = sampleNotice({
    title: `Budget of ${HOSTILE_NAME}`,
    facts: [{ label: "customer", value: HOSTILE_NAME }],
  });
  const rule = { ...sampleMessage().rule, name: HOSTILE_NAME } as ReturnType<
    typeof sampleMessage
  >["rule"];
  for (const total of [1, 9]) {
    const message = sampleMessage({ alerts: [notice], total, rule });
    expect(await sender().send(message, targetAt(port), signal)).toEqual({ kind: "delivered" });
  }
  for (const mail of mails) {
    expect(mail.to).toEqual(["ops@example.com", "anna@example.com"]);
    const { headers, body } = partsOf(mail);
    const names = headers.split("\r\n").filter((line) => !/^\s/.test(line));
    expect(names.map((line) => line.slice(0, line.indexOf(":"))).toSorted(byText)).toEqual(
      [
        "Auto-Submitted",
        "Content-Transfer-Encoding",
        "Content-Type",
        "Date",
        "From",
        "MIME-Version",
        "Message-ID",
        "Subject",
        "To",
      ].toSorted(byText),
    );
    expect(body).not.toMatch(/^Bcc:/m);
  }
});

test.each<[string, SMTPServerOptions, string]>([
  [
    "that takes no such recipient",
    { onRcptTo: (_address, _session, done) => done(refusal(550)) },
    "the mail server answered 550",
  ],
  [
    "that takes no such message",
    {
      onData: (stream, _session, done) => void stream.resume().on("end", () => done(refusal(554))),
    },
    "the mail server answered 554",
  ],
])("is not delivered by a server %s", async (_, options, problem) => {
  const port = await startServer(options);
  const outcome = await sender().send(sampleMessage(), targetAt(port), signal);
  expect(outcome).toEqual({ kind: "failed", problem, retryAfterMs: undefined });
});

test("is delivered where one of the recipients is taken: once more would be twice for that one", async () => {
  const port = await startServer({
    onRcptTo: ({ address }, _session, done) =>
      done(address.startsWith("ops") ? refusal(550) : undefined),
  });
  const outcome = await sender().send(sampleMessage(), targetAt(port), signal);
  expect(outcome).toEqual({ kind: "delivered" });
  expect(mails[0]?.to).toEqual(["anna@example.com"]);
});

test("sends no password without TLS", async () => {
  const asked: string[] = [];
  const port = await startServer({
    hideSTARTTLS: true,
    allowInsecureAuth: true,
    onAuth: ({ username = "" }, _session, done) => {
      asked.push(username);
      done(null, { user: username });
    },
  });
  const target = targetAt(port, ["user", "hunter2"].join(":").concat("@"));
  const outcome = await sender().send(sampleMessage(), target, signal);
  expect(outcome).toMatchObject({
    kind: "failed",
    problem: expect.stringContaining("TLS could not be agreed on") as string,
  });
  expect(JSON.stringify(outcome)).not.toContain("hunter2");
  expect(asked).toEqual([]);
  expect(mails).toEqual([]);
});

test("gives up on a server that says nothing, on none at all, and on one that may not be called", async () => {
  const port = await startServer({ onConnect: () => undefined });
  const silent = await sender(200).send(sampleMessage(), targetAt(port), signal);
  expect(silent).toMatchObject({ problem: "did not take it within 0.2 seconds" });
  const stopping = new AbortController();
  const sent = sender().send(sampleMessage(), targetAt(port), stopping.signal);
  await expect.poll(() => sockets.at(-1)?.readyState).toBe("open");
  stopping.abort();
  expect(await sent).toMatchObject({ problem: "was broken off: the gateway stops" });
  const nobody = await sender().send(sampleMessage(), targetAt(1), signal);
  expect(nobody).toMatchObject({ problem: "the mail server could not be used (ECONNREFUSED)" });
  const guarded = createEmailSender({
    connect: () => Promise.reject(new ForbiddenAddressError("10.0.0.1 may not be called")),
  });
  const forbidden = await guarded.send(sampleMessage(), targetAt(port), signal);
  expect(forbidden).toHaveProperty("problem", expect.stringContaining("private network"));
  const unreadable = { ...targetAt(port), smtpUrl: "mail.example.com" };
  expect(await sender().send(sampleMessage(), unreadable, signal)).toMatchObject({
    kind: "failed",
  });
});

function partsOf(mail: ReceivedMail | undefined): { headers: string; body: string } {
  const source = mail?.source ?? "";
  const end = source.indexOf("\r\n\r\n");
  return { headers: source.slice(0, end), body: source.slice(end + 4) };
}

function refusal(responseCode: number): Error {
  return Object.assign(new Error("refused"), { responseCode });
}

function byText(one: string, other: string): number {
  return one < other ? -1 : 1;
}
