/** What the targets are asked to carry. */

export const CHUNKS_A_STREAM = 100;
export const CHUNK_PAUSE_MS = 20;
/** Stands near the end of every body that asks for a stream; the upstream looks for it. */
export const STREAM_MARK = '"stream":true';

export interface Workload {
  readonly name: string;
  readonly title: string;
  readonly connections: number;
  /** For latencies: so few that the target is mostly idle. */
  readonly calmConnections: number;
  readonly body: Buffer;
  readonly minBodyBytes: number;
  /** What CPU time is divided by, and how many of them one response has. */
  readonly unit: "request" | "chunk";
  readonly unitsAResponse: number;
}

const REQUEST_BYTES = 2048;

function chatBody(bytes: number, more: object): Buffer {
  const withText = (text: string): string =>
    JSON.stringify({
      model: "gpt-4o-mini",
      temperature: 0.2,
      messages: [
        { role: "system", content: "You are a voice agent." },
        { role: "user", content: text },
      ],
      ...more,
    });
  return Buffer.from(withText("y".repeat(bytes - withText("").length)));
}

export const WORKLOADS: readonly Workload[] = [
  {
    name: "chat",
    title: "2 KiB chat JSON, 32 connections",
    connections: 32,
    calmConnections: 8,
    body: chatBody(REQUEST_BYTES, {}),
    minBodyBytes: 2048,
    unit: "request",
    unitsAResponse: 1,
  },
  {
    name: "stream",
    title: `300 concurrent streams of ${CHUNKS_A_STREAM} chunks, one each ${CHUNK_PAUSE_MS} ms`,
    connections: 300,
    calmConnections: 50,
    // Who does not ask for usage is spared the usage chunk: that work is in the figure.
    body: chatBody(REQUEST_BYTES, { stream: true }),
    minBodyBytes: CHUNKS_A_STREAM * 200,
    unit: "chunk",
    unitsAResponse: CHUNKS_A_STREAM,
  },
  {
    name: "large",
    title: "1 MiB chat request, 8 connections",
    connections: 8,
    calmConnections: 2,
    body: chatBody(1024 * 1024, {}),
    minBodyBytes: 2048,
    unit: "request",
    unitsAResponse: 1,
  },
];

export function createRequest(
  path: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\nuser-agent: bench\r\ncontent-type: application/json\r\n${lines.join("")}content-length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}
