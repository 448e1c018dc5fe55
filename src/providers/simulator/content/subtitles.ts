/** Tokens of a made-up text that are spoken together, and when. */
export interface SpokenSegment {
  readonly text: string;
  readonly words: readonly SpokenWord[];
  readonly startSeconds: number;
  readonly endSeconds: number;
}

interface SpokenWord {
  readonly word: string;
  readonly startSeconds: number;
  readonly endSeconds: number;
}

const WORDS_PER_SEGMENT = 8;

/** A text laid over the length of its sound, every word as long as any other. */
export function spokenSegments(tokens: readonly string[], seconds: number): SpokenSegment[] {
  const timeOf = (index: number): number => round((seconds * index) / tokens.length);
  const segments: SpokenSegment[] = [];
  for (let from = 0; from < tokens.length; from += WORDS_PER_SEGMENT) {
    const part = tokens.slice(from, from + WORDS_PER_SEGMENT);
    segments.push({
      text: part.join(""),
      words: part.map((token, at) => ({
        word: token.trim(),
        startSeconds: timeOf(from + at),
        endSeconds: timeOf(from + at + 1),
      })),
      startSeconds: timeOf(from),
      endSeconds: timeOf(from + part.length),
    });
  }
  return segments;
}

/** SubRip: numbered cues, a comma before the milliseconds. */
export function toSrt(segments: readonly SpokenSegment[]): string {
  const cues = segments.map(
    ({ text, startSeconds, endSeconds }, index) =>
      `${index + 1}\n${clock(startSeconds, ",")} --> ${clock(endSeconds, ",")}\n${text.trim()}\n`,
  );
  return `${cues.join("\n")}\n`;
}

/** Source of the format: W3C, "WebVTT: The Web Video Text Tracks Format". */
export function toVtt(segments: readonly SpokenSegment[]): string {
  const cues = segments.map(
    ({ text, startSeconds, endSeconds }) =>
      `${clock(startSeconds, ".")} --> ${clock(endSeconds, ".")}\n${text.trim()}\n`,
  );
  return `WEBVTT\n\n${cues.join("\n")}\n`;
}

/** `00:01:02,500` */
function clock(seconds: number, mark: string): string {
  const ms = Math.round(seconds * 1000);
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor(ms / 60_000) % 60;
  return `${pad(hours)}:${pad(minutes)}:${pad(Math.floor(ms / 1000) % 60)}${mark}${pad(ms % 1000, 3)}`;
}

/** To the hundredth, as the API tells times. */
function round(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}

function pad(value: number, length = 2): string {
  return String(value).padStart(length, "0");
}
