import { WRONG_COUNTS, type Fault, type FaultKind, type WrongCount } from "./fault.ts";

const MAX_TEXT_LENGTH = 256;
const MAX_TOKENS = 1_000_000;
const MAX_CALLS = 1_000_000;
const MAX_WAIT_MS = 24 * 60 * 60 * 1000;
const BODY_FORMS = ["json", "html", "empty"] as const;
const DEFAULT_SLOW_TOKENS_PER_SECOND = 2;

/** Parameters that every fault takes. */
const COMMON = ["times", "every", "label"];
const PARAMETERS: Readonly<Record<FaultKind["name"], readonly string[]>> = {
  ok: [],
  status: ["after-tokens", "retry-after", "retry-after-ms", "body"],
  "insufficient-quota": ["after-tokens"],
  stall: ["after-tokens", "for-ms"],
  cut: ["after-tokens"],
  "malformed-json": ["after-tokens"],
  "malformed-sse": ["after-tokens"],
  "wrong-usage": ["count"],
  slow: ["tokens-per-second"],
};

/** A fault, or in words for the caller what is wrong with its text. */
export function parseFault(text: string): Fault | string {
  if (text.length > MAX_TEXT_LENGTH) {
    return `a fault has ${MAX_TEXT_LENGTH} characters at most; this one has ${text.length}`;
  }
  const [word = "", ...rest] = text.split(";").map((part) => part.trim());
  const name = faultName(word);
  if (name === undefined) {
    const names = Object.keys(PARAMETERS).filter((one) => one !== "status");
    return `"${word}" is no fault; it is a status from 400 to 599 or one of ${names.join(", ")}`;
  }
  const reader = new ParameterReader(word, [...PARAMETERS[name], ...COMMON]);
  for (const part of rest) reader.add(part);
  const fault: Fault = {
    kind: readKind(name, word, reader),
    afterTokens: reader.number("after-tokens", 0, MAX_TOKENS),
    times: reader.number("times", 1, MAX_CALLS),
    every: reader.number("every", 1, MAX_CALLS) ?? 1,
    text,
  };
  return reader.problem ?? fault;
}

function faultName(word: string): FaultKind["name"] | undefined {
  if (/^[45]\d\d$/.test(word)) return "status";
  const isName = word !== "status" && Object.hasOwn(PARAMETERS, word);
  return isName ? (word as FaultKind["name"]) : undefined;
}

function readKind(name: FaultKind["name"], word: string, reader: ParameterReader): FaultKind {
  switch (name) {
    case "status":
      return {
        name,
        status: Number(word),
        retryAfterSeconds: reader.number("retry-after", 0, MAX_WAIT_MS / 1000),
        retryAfterMs: reader.number("retry-after-ms", 0, MAX_WAIT_MS),
        bodyForm: reader.oneOf("body", BODY_FORMS) ?? "json",
      };
    case "stall":
      return { name, forMs: reader.number("for-ms", 1, MAX_WAIT_MS) };
    case "wrong-usage":
      return { name, count: reader.required("count", WRONG_COUNTS) };
    case "slow": {
      const tokensPerSecond = reader.number("tokens-per-second", 1, MAX_TOKENS);
      return { name, tokensPerSecond: tokensPerSecond ?? DEFAULT_SLOW_TOKENS_PER_SECOND };
    }
    case "ok":
    case "insufficient-quota":
    case "cut":
    case "malformed-json":
    case "malformed-sse":
    default:
      return { name };
  }
}

/** Reads `name=value` parameters and keeps the first thing that is wrong with them. */
class ParameterReader {
  problem: string | undefined;
  readonly #fault: string;
  readonly #allowed: readonly string[];
  readonly #values = new Map<string, string>();

  constructor(fault: string, allowed: readonly string[]) {
    this.#fault = fault;
    this.#allowed = allowed;
  }

  add(part: string): void {
    const [, name = "", value = ""] = /^([a-z-]+) *= *([\w.-]+)$/.exec(part) ?? [];
    if (name === "") {
      this.#refuse(`"${part}" is no parameter; one looks like times=3, and a semicolon parts them`);
    } else if (!this.#allowed.includes(name)) {
      this.#refuse(`${this.#fault} takes no "${name}"; it takes ${this.#allowed.join(", ")}`);
    } else if (this.#values.has(name)) {
      this.#refuse(`${name} is there twice`);
    } else {
      this.#values.set(name, value);
    }
  }

  number(name: string, least: number, most: number): number | null {
    const text = this.#values.get(name);
    if (text === undefined) return null;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    this.#refuse(`${name} takes a whole number from ${least} to ${most}, not "${text}"`);
    return null;
  }

  oneOf<Word extends string>(name: string, words: readonly Word[]): Word | null {
    const text = this.#values.get(name);
    if (text === undefined) return null;
    const word = words.find((one) => one === text);
    if (word === undefined) this.#refuse(`${name} is one of ${words.join(", ")}, not "${text}"`);
    return word ?? null;
  }

  required(name: string, words: typeof WRONG_COUNTS): WrongCount {
    const word = this.oneOf(name, words);
    if (word === null) this.#refuse(`${this.#fault} needs ${name}=, one of ${words.join(", ")}`);
    return word ?? words[0];
  }

  #refuse(problem: string): void {
    this.problem ??= problem;
  }
}
