/**
 * Ids are branded strings with a visible prefix and a ULID body (48 bits of milliseconds, 80 random bits, Crockford
 * base32), so that sorting by id sorts by time. Source of the body's layout: the ULID specification.
 */

declare const brand: unique symbol;
export type Id<Prefix extends string> = string & { readonly [brand]: Prefix };

export type ProjectId = Id<"prj">;
export type EnvironmentId = Id<"env">;
export type ProviderAccountId = Id<"acc">;
export type ProviderKeyId = Id<"pky">;
export type RoutingRuleId = Id<"rul">;
export type GatewayKeyId = Id<"key">;
export type CustomerId = Id<"cus">;
export type EventId = Id<"evt">;
export type RequestId = Id<"req">;
export type PriceOverrideId = Id<"pov">;
export type CorrectionId = Id<"cor">;
export type AdminTokenId = Id<"adm">;
export type MemberId = Id<"mem">;
export type InvitationId = Id<"inv">;
export type PasswordResetId = Id<"pwr">;
export type SessionId = Id<"ses">;
export type DataKeyId = Id<"dek">;
export type RootKeyId = Id<"rtk">;
export type ProcessId = Id<"prc">;
export type LeaseId = Id<"lea">;
export type AlertRuleId = Id<"alr">;
export type AlertId = Id<"alt">;
/** What is sent of one or several alerts; the same however often it is tried. */
export type AlertMessageId = Id<"msg">;
export type AlertDeliveryId = Id<"adl">;
export type AlertChannelId = Id<"ach">;
export type AlertMuteId = Id<"mut">;
export type DataDirectoryId = Id<"dir">;
export type BudgetId = Id<"bud">;
export type BudgetIncreaseId = Id<"inc">;
export type LimitId = Id<"lim">;
export type RotationId = Id<"rot">;
export type LeakId = Id<"lek">;
export type ProvisionId = Id<"pvn">;
export type ClientTokenId = Id<"ctk">;

/** Where ids get time (ms since the epoch) and randomness from; tests hand in their own. */
export interface IdSource {
  nowMs(): number;
  randomBytes(count: number): Uint8Array;
}

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_CHARACTERS = 10;
const RANDOM_BYTES = 10;
const RANDOM_CHARACTERS = 16;
/** Where the last of the digits stands. */
const LAST = RANDOM_CHARACTERS - 1;

/**
 * Makes ids that are strictly increasing within one factory, also within one millisecond and when the clock steps
 * back: the random part is then incremented instead of drawn anew.
 */
export class IdFactory {
  readonly #source: IdSource;
  #lastMs = -1;
  readonly #digits = new Uint8Array(RANDOM_CHARACTERS);
  /** The body but for its last character: the next id of the millisecond mostly has it, too. */
  #stem = "";

  constructor(source: IdSource) {
    this.#source = source;
  }

  create<Prefix extends string>(prefix: Prefix): Id<Prefix> {
    const nowMs = this.#source.nowMs();
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs;
      this.#draw();
    } else if (!this.#increment()) {
      this.#lastMs += 1;
      this.#draw();
    }
    return `${prefix}_${this.#stem}${ALPHABET.charAt(this.#digits[LAST] ?? 0)}` as Id<Prefix>;
  }

  #writeStem(): void {
    const characters: string[] = [];
    let rest = this.#lastMs;
    for (let i = TIME_CHARACTERS - 1; i >= 0; i -= 1) {
      characters[i] = ALPHABET.charAt(rest % 32);
      rest = Math.floor(rest / 32);
    }
    for (let i = 0; i < LAST; i += 1) characters.push(ALPHABET.charAt(this.#digits[i] ?? 0));
    this.#stem = characters.join("");
  }

  #draw(): void {
    const bytes = this.#source.randomBytes(RANDOM_BYTES);
    let buffer = 0;
    let bits = 0;
    let position = 0;
    for (const byte of bytes) {
      buffer = (buffer << 8) | byte;
      bits += 8;
      while (bits >= 5) {
        bits -= 5;
        this.#digits[position] = (buffer >> bits) & 31;
        position += 1;
        buffer &= (1 << bits) - 1;
      }
    }
    this.#writeStem();
  }

  /** False when all 80 bits were used up within the millisecond. */
  #increment(): boolean {
    for (let i = RANDOM_CHARACTERS - 1; i >= 0; i -= 1) {
      const digit = this.#digits[i] ?? 0;
      if (digit < 31) {
        this.#digits[i] = digit + 1;
        if (i < LAST) this.#writeStem();
        return true;
      }
      this.#digits[i] = 0;
    }
    return false;
  }
}

/** True for `<prefix>_` followed by a 26-character ULID. */
export function isId<Prefix extends string>(prefix: Prefix, value: string): value is Id<Prefix> {
  return (
    value.startsWith(`${prefix}_`) &&
    /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(value.slice(prefix.length + 1))
  );
}

const BODY_CHARACTERS = TIME_CHARACTERS + RANDOM_CHARACTERS;

/** The body of an id that is worked out and not drawn: 128 bits of a digest. Such ids do not sort by time. */
export function ulidOf(digest: Uint8Array): string {
  let body = "";
  let value = 0n;
  for (const byte of digest.subarray(0, 16)) value = (value << 8n) | BigInt(byte);
  for (let i = 0; i < BODY_CHARACTERS; i += 1) {
    body = ALPHABET.charAt(Number(value & 31n)) + body;
    value >>= 5n;
  }
  return body;
}
