/** What a picture counts as on its way in, as everywhere in the simulator. */
const INPUT_TOKENS = 85;

/** Of a square picture. Source: "Image generation" of OpenAI's API documentation, for gpt-image-1. */
const SQUARE_TOKENS: ReadonlyMap<string, number> = new Map([
  ["low", 272],
  ["medium", 1056],
  ["high", 4160],
]);
/** The same for the two other sizes that it has. */
const OBLONG_TOKENS: ReadonlyMap<string, readonly [portrait: number, landscape: number]> = new Map([
  ["low", [408, 400]],
  ["medium", [1584, 1568]],
  ["high", [6240, 6208]],
]);
const SQUARE_PIXELS = 1024 * 1024;
const OBLONG_PIXELS = 1024 * 1536;

export function imageInputTokens(): number {
  return INPUT_TOKENS;
}

/** A quality or a size that has no published count is taken for a square picture's share. */
export function imageOutputTokens(
  quality: string,
  { width, height }: { readonly width: number; readonly height: number },
): number {
  const pixels = width * height;
  const [portrait, landscape] = OBLONG_TOKENS.get(quality) ?? [];
  const isOblong = pixels === OBLONG_PIXELS && Math.min(width, height) === 1024;
  const published = isOblong ? (width < height ? portrait : landscape) : undefined;
  const square = SQUARE_TOKENS.get(quality) ?? SQUARE_TOKENS.get("medium") ?? 0;
  return published ?? Math.ceil((square * pixels) / SQUARE_PIXELS);
}
