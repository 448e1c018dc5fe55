import type { FileHandle } from "node:fs/promises";
import { decodeRecord, type JournalRecord } from "./journal-record.ts";

interface SegmentLine {
  /** Without its line feed. */
  readonly bytes: Buffer;
  /** Undefined when the line is not a whole record. */
  readonly record: JournalRecord | undefined;
}

export interface SegmentBlock {
  readonly lines: readonly SegmentLine[];
  /** Whether the last line has no line feed although the segment ends there: a write that was cut off. */
  readonly isLastLineOpen: boolean;
  /** Where the next block starts; `end` after the last one. */
  readonly nextOffset: number;
}

const BLOCK_BYTES = 256 * 1024;
const LINE_FEED = 0x0a;

/**
 * Reads the lines between `from` (the start of a line) and `end`, about 256 KiB at a time and always whole lines; a
 * longer line is read as one. The file may end earlier than `end`.
 */
export async function readSegmentBlock(
  file: FileHandle,
  from: number,
  end: number,
): Promise<SegmentBlock> {
  for (let size = Math.min(BLOCK_BYTES, end - from); ; size = Math.min(size * 2, end - from)) {
    const bytes = await readFully(file, from, size);
    const isAtEnd = bytes.length < size || from + size >= end;
    const lastFeed = bytes.lastIndexOf(LINE_FEED);
    if (isAtEnd) {
      const isLastLineOpen = bytes.length > 0 && lastFeed !== bytes.length - 1;
      return { lines: splitLines(bytes), isLastLineOpen, nextOffset: end };
    }
    if (lastFeed >= 0) {
      const lines = splitLines(bytes.subarray(0, lastFeed + 1));
      return { lines, isLastLineOpen: false, nextOffset: from + lastFeed + 1 };
    }
  }
}

async function readFully(file: FileHandle, from: number, size: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await file.read(buffer, filled, size - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

function splitLines(bytes: Buffer): SegmentLine[] {
  const lines: SegmentLine[] = [];
  for (let start = 0; start < bytes.length;) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const end = feed < 0 ? bytes.length : feed;
    const one = bytes.subarray(start, end);
    lines.push({ bytes: one, record: decodeRecord(one) });
    start = end + 1;
  }
  return lines;
}
