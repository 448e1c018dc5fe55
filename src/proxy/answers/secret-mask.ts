import { Buffer } from "node:buffer";
import type { ProviderRoute } from "../snapshot.ts";

/** What a credential stands in, whichever provider it is: `Authorization: Bearer …`, `api-key: …`. */
const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set([
  "authorization",
  "api-key",
  "x-api-key",
  "x-goog-api-key",
]);
/** A shorter one is no secret ("none", for a provider that asks for any), and would be found in ordinary text. */
const MIN_SECRET_CHARACTERS = 12;
const MASK = 0x2a;

/**
 * Takes a provider's own key out of what the provider says: some servers quote it when they refuse it, and debugging
 * endpoints return the request's headers. Each character becomes `*`, so lengths stay as they were announced.
 */
export class SecretMask {
  readonly #text: string;
  readonly #secret: Buffer;
  /** The end of what has come so far, where the secret may have begun. */
  #held: Buffer = NOTHING;

  constructor({ text, bytes }: SoughtSecret) {
    this.#text = text;
    this.#secret = bytes;
  }

  /** The next bytes that may go; what could be the beginning of the secret waits for what follows it. */
  push(chunk: Buffer): Buffer {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const masked = this.#mask(bytes);
    const heldFrom = masked.length - this.#lengthOfBeginning(masked);
    if (heldFrom === masked.length) {
      this.#held = NOTHING;
      return masked;
    }
    this.#held = masked.subarray(heldFrom);
    return masked.subarray(0, heldFrom);
  }

  /** The last bytes, with what was held back before them; undefined when there are none. */
  finish(last?: Buffer): Buffer | undefined {
    const held = this.#held;
    this.#held = NOTHING;
    const rest = held.length === 0 ? (last ?? NOTHING) : Buffer.concat([held, last ?? NOTHING]);
    return rest.length === 0 ? undefined : this.#mask(rest);
  }

  text(value: string): string {
    const secret = this.#text;
    if (value.length < secret.length || !value.includes(secret)) return value;
    return value.replaceAll(secret, "*".repeat(secret.length));
  }

  /** Whether the name of a header has it in it, in whatever case: a name has no other form in which it could go. */
  isInName(name: string): boolean {
    if (name.length < this.#text.length) return false;
    return name.toLowerCase().includes(this.#text.toLowerCase());
  }

  #mask(bytes: Buffer): Buffer {
    let at = bytes.indexOf(this.#secret);
    if (at === -1) return bytes;
    const masked = Buffer.from(bytes);
    for (; at !== -1; at = masked.indexOf(this.#secret, at)) {
      masked.fill(MASK, at, at + this.#secret.length);
    }
    return masked;
  }

  #lengthOfBeginning(bytes: Buffer): number {
    const last = bytes[bytes.length - 1];
    // A chunk that ends with a byte that is not in it, as every event does, ends with no beginning of the secret.
    if (last === undefined || !this.#secret.includes(last)) return 0;
    const first = this.#secret[0] as number;
    const longest = Math.min(this.#secret.length - 1, bytes.length);
    let at = bytes.indexOf(first, bytes.length - longest);
    for (; at !== -1; at = bytes.indexOf(first, at + 1)) {
      const length = bytes.length - at;
      if (bytes.compare(this.#secret, 0, length, at) === 0) return length;
    }
    return 0;
  }
}

const NOTHING = Buffer.alloc(0);

/** A secret in the two forms in which it is looked for. */
interface SoughtSecret {
  readonly text: string;
  readonly bytes: Buffer;
}

export function soughtSecret(text: string): SoughtSecret {
  return { text, bytes: Buffer.from(text) };
}

type AuthHeaders = ProviderRoute["authHeaders"];

/** Undefined for a route that needs no secret. */
export function createSecretMask({
  authHeaders,
}: Pick<ProviderRoute, "authHeaders">): SecretMask | undefined {
  let secret = secrets.get(authHeaders);
  if (secret === undefined) {
    secret = findSecret(authHeaders);
    secrets.set(authHeaders, secret);
  }
  return secret === null ? undefined : new SecretMask(secret);
}

/** Goes with the route that has the secret. Memory of a pure function: nobody can tell whether it is there. */
const secrets = new WeakMap<AuthHeaders, SoughtSecret | null>();

function findSecret(authHeaders: AuthHeaders): SoughtSecret | null {
  for (const [name, value] of authHeaders) {
    if (!CREDENTIAL_HEADERS.has(name.toLowerCase())) continue;
    const secret = value.slice(value.lastIndexOf(" ") + 1);
    if (secret.length >= MIN_SECRET_CHARACTERS) return soughtSecret(secret);
  }
  return null;
}
