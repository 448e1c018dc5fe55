import type { Socket } from "node:net";
import type SMTPTransport from "nodemailer/lib/smtp-transport";
import type { EmailTarget } from "../../core/alerts/alert-channel.ts";
import { parseSmtpUrl, type SmtpServer } from "../../core/alerts/smtp-url.ts";
import { ForbiddenAddressError } from "../../core/network/forbidden-address-error.ts";
import { type AlertMessage, type AlertSender, failed, type SendOutcome } from "../alert-message.ts";
import { textOf, type TextStyle } from "../plain-text.ts";

export interface EmailDeps {
  /** Connects only where it is allowed to. Rejects with ForbiddenAddressError where not. */
  readonly connect: (
    address: { readonly hostname: string; readonly port: number },
    signal: AbortSignal,
  ) => Promise<Socket>;
  readonly timeoutMs?: number;
}

/** A mail server may think for a while before it greets, and look at a message before it takes it. */
const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_SUBJECT_CHARACTERS = 150;

const AS_IT_IS: TextStyle = { escape: (text) => text, command: (text) => text };

/**
 * Mail, as plain text: there is nothing in it that a name could be taken for. Its Message-ID is made of the message's id,
 * so that a repetition is known as one.
 */
export function createEmailSender(deps: EmailDeps): AlertSender<EmailTarget> {
  return {
    async send(message, target, signal) {
      const server = parseSmtpUrl(target.smtpUrl);
      if (server === undefined) return failed("has no mail server: its SMTP URL cannot be read");
      const timeoutMs = deps.timeoutMs ?? DEFAULT_TIMEOUT_MS;
      const timeout = AbortSignal.timeout(timeoutMs);
      const broken = AbortSignal.any([signal, timeout]);
      try {
        await deliver(deps, { server, target, message }, broken);
        return { kind: "delivered" };
      } catch (err) {
        if (signal.aborted) return failed("was broken off: the gateway stops");
        if (timeout.aborted) return failed(`did not take it within ${timeoutMs / 1000} seconds`);
        return problemOf(err, server);
      }
    },
  };
}

interface Mail {
  readonly server: SmtpServer;
  readonly target: EmailTarget;
  readonly message: AlertMessage;
}

async function deliver(
  deps: EmailDeps,
  { server, target, message }: Mail,
  signal: AbortSignal,
): Promise<void> {
  const socket = await deps.connect(server, signal);
  // Nodemailer ends with its socket, whatever it was waiting for.
  const breakOff = (): void => void socket.destroy(new Error("broken off"));
  signal.addEventListener("abort", breakOff);
  if (signal.aborted) breakOff();
  try {
    // Loaded when the first mail is sent: most gateways send none.
    const { createTransport } = await import("nodemailer");
    const transport = createTransport(transportOptions(server, socket));
    const { heading, notices, rest } = textOf(message, AS_IT_IS);
    const subject = `[Keyward] ${heading}`.slice(0, MAX_SUBJECT_CHARACTERS).toWellFormed();
    const sections = notices.map(({ title, lines }) => [title, ...lines].join("\n"));
    const info = await transport.sendMail({
      from: target.sender,
      to: [...target.recipients],
      subject,
      text: `${[...sections, rest].filter(Boolean).join("\n\n")}\n`,
      messageId: `<${message.id}@${target.sender.slice(target.sender.lastIndexOf("@") + 1)}>`,
      headers: { "auto-submitted": "auto-generated" },
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    // Taken for one of several is delivered: once more would be twice for that one.
    if (info.accepted.length === 0) throw new Error("no recipient was accepted");
  } finally {
    signal.removeEventListener("abort", breakOff);
    socket.destroy();
  }
}

function transportOptions(server: SmtpServer, socket: Socket): SMTPTransport.Options {
  const { hostname, port, isSecure, credentials } = server;
  return {
    host: hostname,
    port,
    secure: isSecure,
    // A password goes over TLS alone. Without one, TLS is used where the server offers it.
    requireTLS: !isSecure && credentials !== null,
    ...(credentials !== null && { auth: { user: credentials.user, pass: credentials.password } }),
    getSocket: (_options, callback) => callback(null, { connection: socket }),
  };
}

function problemOf(err: unknown, server: SmtpServer): SendOutcome {
  if (err instanceof ForbiddenAddressError) {
    return failed(
      "leads into a private network; its host must be allowed by name (allowedPrivateHosts)",
    );
  }
  const { code, responseCode } = err as {
    readonly code?: unknown;
    readonly responseCode?: unknown;
  };
  const said = typeof responseCode === "number" ? `answered ${responseCode}` : undefined;
  const word = typeof code === "string" ? code : "no connection";
  if (mayLackTls(code, server)) {
    const how = server.isSecure
      ? "smtps:// speaks TLS from the first byte; a server that begins without it wants smtp://"
      : "a password is sent over TLS alone, and the server does not offer it (STARTTLS)";
    return failed(`TLS could not be agreed on with the mail server (${said ?? word}): ${how}`);
  }
  return failed(`the mail server ${said ?? `could not be used (${word})`}`);
}

/** A connection that breaks while TLS is begun says so (ETLS), or only that it broke. */
function mayLackTls(code: unknown, { isSecure, credentials }: SmtpServer): boolean {
  return code === "ETLS" || (code === "ESOCKET" && (isSecure || credentials !== null));
}
