import { expectData } from "../../admin/client.ts";
import { defineCommand } from "../command.ts";
import { parseChoice } from "../parse-choice.ts";
import { saveStream } from "../save-stream.ts";
import { EVENT_OPTIONS, eventFilterOf } from "../usage-options.ts";

const FORMATS = ["csv", "jsonl"] as const;
type Format = (typeof FORMATS)[number];

export const usageExport = defineCommand({
  summary: "write every provider call that matches to a file",
  details:
    "The file is there when it is whole, and not before: what was there until then stays if the export breaks off. Without --output it goes to standard output.",
  examples: [
    "keyward usage export --from 2026-01-01 --to 2026-02-01 --output january.csv",
    "keyward usage export --format jsonl --customer acme | jq .costUsd",
  ],
  reach: "admin",
  printsData: false,
  options: {
    format: { value: "format", description: "of the file", choices: FORMATS, default: "csv" },
    output: { value: "file", description: "the file to write" },
    ...EVENT_OPTIONS,
  },
  async run(context) {
    const { admin, io, options, output } = context;
    const format = parseChoice(options.format, isFormat, "--format");
    const query = { format, ...eventFilterOf(context) };
    const client = await admin();
    const body = expectData(
      await client.GET("/usage/events/export", { params: { query }, parseAs: "stream" }),
    );
    const bytes = await saveStream(
      io,
      body as unknown as ReadableStream<Uint8Array>,
      options.output,
    );
    if (options.output !== undefined) output.note(`wrote ${bytes} bytes to ${options.output}`);
  },
});

function isFormat(word: string): word is Format {
  return (FORMATS as readonly string[]).includes(word);
}
