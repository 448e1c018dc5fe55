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

  constructor(secret: string) {
    this.#text = secret;
    this.#secret = Buffer.from(secret);
  }

  /** The next bytes that may go; what could be the beginning of the secret waits for what follows it. */
  push(chunk: Buffer): Buffer {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const masked = this.#mask(bytes);
    const heldFrom = masked.length - this.#lengthOfBeginning(masked);
    this.#held = masked.subarray(heldFrom);
    return masked.subarray(0, heldFrom);
  }

  /** The last bytes, with what was held back before them; undefined when there are none. */
  finish(last?: Buffer): Buffer | undefined {
    const masked = this.push(last ?? NOTHING);
    const rest = this.#held.length === 0 ? masked : Buffer.concat([masked, this.#held]);
    this.#held = NOTHING;
    return rest.length === 0 ? undefined : rest;
  }

  text(value: string): string {
    return value.includes(this.#text)
      ? value.replaceAll(this.#text, "*".repeat(this.#text.length))
      : value;
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
    const last = bytes.at(-1);
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

/** Undefined for a route that needs no secret. */
export function createSecretMask(
  route: Pick<ProviderRoute, "authHeaders">,
): SecretMask | undefined {
  for (const [name, value] of route.authHeaders) {
    if (!CREDENTIAL_HEADERS.has(name.toLowerCase())) continue;
    const secret = value.slice(value.lastIndexOf(" ") + 1);
    if (secret.length >= MIN_SECRET_CHARACTERS) return new SecretMask(secret);
  }
  return undefined;
}
