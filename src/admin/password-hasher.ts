import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

/** N = 2^15, r = 8, p = 3: 32 MiB for each, one of the costs that OWASP's password storage cheat sheet takes for equal. */
const COST = { logN: 15, r: 8, p: 3 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Each takes a thread of the pool for a fraction of a second: a flood must leave threads for others. */
const MAX_AT_ONCE = 2;
const MAX_WAITING = 32;

type Cost = { readonly logN: number; readonly r: number; readonly p: number };

/** Too many want to log in at once. */
export class HasherBusyError extends Error {}

/**
 * Hashes passwords with scrypt, off the event loop. A hash says with which cost it was made
 * (`$scrypt$ln=15,r=8,p=3$salt$hash`, as in the PHC string format), so that the cost can be raised.
 */
export class PasswordHasher {
  readonly #cost: Cost;
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  #decoy: Promise<string> | undefined;

  /** Another cost is for tests. */
  constructor(cost: Cost = COST) {
    this.#cost = cost;
  }

  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const { logN, r, p } = this.#cost;
    const hash = await this.#derive(password, salt, this.#cost);
    return `$scrypt$ln=${logN},r=${r},p=${p}$${encode(salt)}$${encode(hash)}`;
  }

  /**
   * Whether it is the password. Without a hash it takes as long, and is false: who asks cannot tell an unknown member
   * from a wrong password.
   */
  async verify(password: string, hash: string | null): Promise<boolean> {
    const parsed = parse(hash ?? (await (this.#decoy ??= this.hash("a password that nobody has"))));
    if (parsed === undefined) throw new Error("a password hash in the store is not one of ours");
    const derived = await this.#derive(password, parsed.salt, parsed.cost);
    return timingSafeEqual(derived, parsed.hash) && hash !== null;
  }

  async #derive(password: string, salt: Buffer, { logN, r, p }: Cost): Promise<Buffer> {
    if (this.#running >= MAX_AT_ONCE) {
      if (this.#waiting.length >= MAX_WAITING) throw new HasherBusyError("too many logins at once");
      // Whoever has ended hands its place over.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running += 1;
    }
    try {
      const options = { N: 2 ** logN, r, p, maxmem: 256 * r * 2 ** logN };
      // One spelling for what looks alike, as NIST SP 800-63B wants it.
      return await deriveKey(password.normalize("NFKC"), salt, HASH_BYTES, options);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

const deriveKey = promisify(scrypt) as (
  password: string,
  salt: Buffer,
  length: number,
  options: { N: number; r: number; p: number; maxmem: number },
) => Promise<Buffer>;

const PATTERN = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w+/]{22})\$([\w+/]{43})$/;

function parse(text: string) {
  const [, logN, r, p, salt, hash] = PATTERN.exec(text) ?? [];
  if (salt === undefined || hash === undefined) return undefined;
  return {
    cost: { logN: Number(logN), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, "base64"),
    hash: Buffer.from(hash, "base64"),
  };
}

function encode(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("=", "");
}
