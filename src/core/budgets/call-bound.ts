/**
 * What a request says of what its call can cost at most, before it is sent. Read out of bodies by `wire`, priced by
 * `worst-case.ts`. Every figure is an upper bound: it may be too high, and is never too low.
 */
import type { QuantityClass, UnitClass } from "../usage/quantities.ts";

export type CallBound = TokenBound | SpeechBound | RecordingBound | PictureBound | NoBound;

/** Free whatever it answers; or nothing in the request says where its cost ends. */
export type NoBound =
  | { readonly kind: "free" }
  /** `why` completes "Its cost has no upper bound, because …". */
  | { readonly kind: "unbounded"; readonly why: string };

export type CacheWriteClass = Extract<QuantityClass, "cacheWriteInput" | "cacheWrite1hInput">;

/** Charged by the token: chats, responses, messages, completions, embeddings. */
export interface TokenBound {
  readonly kind: "tokens";
  /** Of all text that stands in the body, recordings included. */
  readonly inputTokens: number;
  /** Pictures sent to the model, each counted by the model's own rule. */
  readonly pictures: number;
  readonly hasAudioInput: boolean;
  /** What the model reads besides that is not in the body (`previous_response_id`); null: nothing. */
  readonly unseen: string | null;
  /** The classes of writing to a cache that the request can cause. */
  readonly cacheWrites: readonly CacheWriteClass[];
  /** How often the model may call the provider's own tools; each time it reads everything once more. */
  readonly hostedCalls: number;
  /** The classes that such a call is charged by. */
  readonly hostedClasses: readonly UnitClass[];
  /** Searches that every answer is charged for. */
  readonly searches: number;
  readonly hasOutput: boolean;
  readonly hasAudioOutput: boolean;
  /** The limits of one answer that the request sets, by the field's name. */
  readonly outputLimits: Readonly<Record<string, number>>;
  /** Whether a limit holds for each turn of the model, and not for all of them together. */
  readonly isLimitPerTurn: boolean;
  /** The least that such a limit can be set to. */
  readonly minOutputTokens: number;
  /** Answers that are asked for at once. */
  readonly answers: number;
  /** Output that is charged besides (a prediction that was wrong). */
  readonly extraOutputTokens: number;
  readonly serviceTier: string | null;
}

/** Text to be spoken: charged by the character, or by the token of what is heard. */
export interface SpeechBound {
  readonly kind: "speech";
  readonly characters: number;
  /** How fast it is to be spoken, 1 being the usual. */
  readonly speed: number;
}

/** Recorded speech to be written down: charged by its length, or by the token. */
export interface RecordingBound {
  readonly kind: "recording";
  readonly bytes: number;
}

/** Pictures to be drawn: charged by the piece, or by the token. */
export interface PictureBound {
  readonly kind: "pictures";
  readonly inputTokens: number;
  /** Pictures sent along. */
  readonly sentPictures: number;
  readonly pictures: number;
  /** Unfinished ones that are shown on the way, for each picture. */
  readonly partialPictures: number;
  /** `hd/1024x1792`; null where the request leaves it open. */
  readonly variant: string | null;
}

export function unbounded(why: string): NoBound {
  return { kind: "unbounded", why };
}

/** The same call with this limit on its output. */
export function withOutputLimit(bound: CallBound, field: string, tokens: number): CallBound {
  return bound.kind === "tokens" ? { ...bound, outputLimits: { [field]: tokens } } : bound;
}
