import type { Edit } from "../json/splice-bytes.ts";
import type { TopLevelScan } from "../json/top-level-scanner.ts";

const INSERTED_MEMBER = ',"stream_options":{"include_usage":true}';

/**
 * The edit that makes a streamed chat or text completion report its usage; the usage chunk that comes back must then be
 * hidden from the client. Undefined where the client asks for it itself, and where its `stream_options` is not an
 * object: that is left for the provider to refuse.
 */
export function editIncludeUsage({ fields, closeOffset }: TopLevelScan): Edit | undefined {
  const field = fields.get("stream_options");
  if (field === undefined) return { start: closeOffset, end: closeOffset, text: INSERTED_MEMBER };
  const options = parseOptions(field.text);
  if (options === undefined || options["include_usage"] === true) return undefined;
  const text = JSON.stringify({ ...options, include_usage: true });
  return { start: field.start, end: field.end, text };
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
