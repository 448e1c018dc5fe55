import type { TopLevelScan } from "../json/top-level-scanner.ts";

/** The body as it goes to the provider, and whether the usage chunk that comes back must be hidden from the client. */
export interface IncludeUsage {
  readonly body: Buffer;
  readonly isUsageHidden: boolean;
}

const INSERTED_MEMBER = ',"stream_options":{"include_usage":true}';

/**
 * Makes sure that a streamed chat or text completion reports its usage, by splicing the option into the body's
 * bytes. A body whose `stream_options` is not an object is left for the provider to refuse.
 */
export function spliceIncludeUsage(body: Buffer, scan: TopLevelScan): IncludeUsage {
  const field = scan.fields.get("stream_options");
  if (field === undefined) {
    return {
      body: replaceBytes(body, scan.closeOffset, scan.closeOffset, INSERTED_MEMBER),
      isUsageHidden: true,
    };
  }
  const options = parseOptions(field.text);
  if (options === undefined || options["include_usage"] === true) {
    return { body, isUsageHidden: false };
  }
  const replacement = JSON.stringify({ ...options, include_usage: true });
  return { body: replaceBytes(body, field.start, field.end, replacement), isUsageHidden: true };
}

function parseOptions(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (value === null) return {};
    return typeof value === "object" && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function replaceBytes(body: Buffer, start: number, end: number, text: string): Buffer {
  return Buffer.concat([body.subarray(0, start), Buffer.from(text), body.subarray(end)]);
}
