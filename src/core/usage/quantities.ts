/**
 * What a call consumed, in disjoint classes: a token is counted in exactly one of them. OpenAI reports cached and
 * audio tokens inside the prompt tokens and reasoning inside the completion tokens; the wire readers take them apart.
 * What is not counted in tokens has classes of its own: recorded time, characters to speak, pictures, calls of tools.
 * Input written to a cache is `cacheWriteInput`; where a provider keeps some of it for an hour and says so, that part is
 * `cacheWrite1hInput`.
 */
const INPUT_CLASSES = [
  "input",
  "cachedInput",
  "cacheWriteInput",
  "cacheWrite1hInput",
  "audioInput",
  "cachedAudioInput",
  "imageInput",
  "cachedImageInput",
] as const;
const OUTPUT_CLASSES = ["output", "reasoningOutput", "audioOutput", "imageOutput"] as const;
/** Milliseconds of recorded audio; characters; images; calls of a provider's own tools. */
const UNIT_CLASSES = [
  "audioInputMs",
  "inputCharacters",
  "images",
  "webSearches",
  "fileSearches",
  "codeSessions",
] as const;

export type TokenClass = (typeof INPUT_CLASSES)[number] | (typeof OUTPUT_CLASSES)[number];
export type UnitClass = (typeof UNIT_CLASSES)[number];
export type QuantityClass = TokenClass | UnitClass;

/** The classes that are counted in tokens, and those that are not. */
export const TOKEN_CLASSES: readonly TokenClass[] = [...INPUT_CLASSES, ...OUTPUT_CLASSES];
export { UNIT_CLASSES };

export const QUANTITY_CLASSES: readonly QuantityClass[] = [...TOKEN_CLASSES, ...UNIT_CLASSES];

const UNIT_CLASS_SET: ReadonlySet<string> = new Set(UNIT_CLASSES);

/** Whether the class counts tokens, and not one of the other units. */
export function isTokenClass(name: QuantityClass): boolean {
  return !UNIT_CLASS_SET.has(name);
}

/** Counts by class (tokens, but for the unit classes), non-negative safe integers; an absent class is zero. */
export type Quantities = Readonly<Partial<Record<QuantityClass, number>>>;

export const NO_QUANTITIES: Quantities = Object.freeze({});

/** The classes of which there is something, in the order of these quantities. */
export function usedClasses(quantities: Quantities): readonly QuantityClass[] {
  const used: QuantityClass[] = [];
  // A call uses two or three: along these rather than along all that there could be.
  for (const name in quantities) {
    if ((quantities[name as QuantityClass] ?? 0) !== 0) used.push(name as QuantityClass);
  }
  return used;
}

/** All input tokens, of every class. */
export function totalInputTokens(quantities: Quantities): number {
  const { input = 0, cacheWriteInput = 0, cacheWrite1hInput = 0 } = quantities;
  const { audioInput = 0, imageInput = 0 } = quantities;
  const uncached = input + cacheWriteInput + cacheWrite1hInput + audioInput + imageInput;
  return uncached + totalCachedInputTokens(quantities);
}

/** All output tokens, of every class. */
export function totalOutputTokens(quantities: Quantities): number {
  const { output = 0, reasoningOutput = 0, audioOutput = 0, imageOutput = 0 } = quantities;
  return output + reasoningOutput + audioOutput + imageOutput;
}

/** Input tokens read from a cache, of every modality. */
export function totalCachedInputTokens(quantities: Quantities): number {
  const { cachedInput = 0, cachedAudioInput = 0, cachedImageInput = 0 } = quantities;
  return cachedInput + cachedAudioInput + cachedImageInput;
}
