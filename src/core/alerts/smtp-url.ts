/** A mail server, as an `smtp://user:password@host:587` names it. */
export interface SmtpServer {
  readonly hostname: string;
  readonly port: number;
  /** `smtps`: TLS from the first byte. With `smtp`, by STARTTLS, without which no password is sent. */
  readonly isSecure: boolean;
  readonly credentials: { readonly user: string; readonly password: string } | null;
}

const MAX_URL_CHARACTERS = 2048;
const SUBMISSION_PORT = 587;
const SUBMISSIONS_PORT = 465;

/** Undefined where it is no such URL: another scheme, a path, a query, a user without a password. */
export function parseSmtpUrl(text: string): SmtpServer | undefined {
  if (text.length > MAX_URL_CHARACTERS || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const { protocol, hostname, pathname, search, hash, username, password } = url;
  if (protocol !== "smtp:" && protocol !== "smtps:") return undefined;
  if (hostname === "" || !["", "/"].includes(pathname) || search !== "" || hash !== "") {
    return undefined;
  }
  if ((username === "") !== (password === "")) return undefined;
  const isSecure = protocol === "smtps:";
  const [user, secret] = [decode(username), decode(password)];
  if (user === undefined || secret === undefined) return undefined;
  return {
    hostname,
    port: url.port === "" ? (isSecure ? SUBMISSIONS_PORT : SUBMISSION_PORT) : Number(url.port),
    isSecure,
    credentials: user === "" ? null : { user, password: secret },
  };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
