/**
 * What a call consumed, in disjoint classes: a token is counted in exactly one of them. OpenAI reports cached and
 * audio tokens inside the prompt tokens and reasoning inside the completion tokens; the wire readers take them apart.
 * What is not counted in tokens has classes of its own: recorded time, characters to speak, pictures, calls of tools.
 */
const INPUT_CLASSES = [
  "input",
  "cachedInput",
  "cacheWriteInput",
  "audioInput",
  "cachedAudioInput",
  "imageInput",
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

type InputClass = (typeof INPUT_CLASSES)[number];
type OutputClass = (typeof OUTPUT_CLASSES)[number];
type UnitClass = (typeof UNIT_CLASSES)[number];
export type QuantityClass = InputClass | OutputClass | UnitClass;

export const QUANTITY_CLASSES: readonly QuantityClass[] = [
  ...INPUT_CLASSES,
  ...OUTPUT_CLASSES,
  ...UNIT_CLASSES,
];

/** Counts by class (tokens, but for the unit classes), non-negative safe integers; an absent class is zero. */
export type Quantities = Readonly<Partial<Record<QuantityClass, number>>>;

export const NO_QUANTITIES: Quantities = Object.freeze({});

/** All input tokens, of every class. */
export function totalInputTokens(quantities: Quantities): number {
  return sumOf(quantities, INPUT_CLASSES);
}

/** All output tokens, of every class. */
export function totalOutputTokens(quantities: Quantities): number {
  return sumOf(quantities, OUTPUT_CLASSES);
}

/** Input tokens read from a cache, of every modality. */
export function totalCachedInputTokens(quantities: Quantities): number {
  return (quantities.cachedInput ?? 0) + (quantities.cachedAudioInput ?? 0);
}

function sumOf(quantities: Quantities, classes: readonly QuantityClass[]): number {
  let total = 0;
  for (const name of classes) total += quantities[name] ?? 0;
  return total;
}
