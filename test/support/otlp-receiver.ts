/**
 * A collector for tests. It decodes what it gets with the official protobuf definitions, as they are generated in
 * OpenTelemetry's own package, and for JSON checks the result against the same definitions.
 */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";

/** A message of the definitions, as protobufjs generates them. */
interface MessageType {
  decode(bytes: Uint8Array): unknown;
  verify(message: unknown): string | null;
  fromObject(json: unknown): unknown;
  toObject(message: unknown, options: object): object;
}

interface Definitions {
  readonly opentelemetry: {
    readonly proto: {
      readonly collector: {
        readonly trace: { readonly v1: { readonly ExportTraceServiceRequest: MessageType } };
        readonly metrics: { readonly v1: { readonly ExportMetricsServiceRequest: MessageType } };
      };
    };
  };
}

const { opentelemetry } = createRequire(import.meta.url)(
  "@opentelemetry/otlp-transformer/build/src/generated/root.js",
) as Definitions;
const { trace, metrics } = opentelemetry.proto.collector;
const TYPES: Readonly<Record<string, MessageType>> = {
  "/v1/traces": trace.v1.ExportTraceServiceRequest,
  "/v1/metrics": metrics.v1.ExportMetricsServiceRequest,
};

export interface ReceivedAttributes {
  readonly [name: string]: string | number | boolean;
}

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly flags: number;
  readonly name: string;
  readonly kind: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: string };
  readonly attributes: ReceivedAttributes;
}

export interface ReceivedPoint {
  readonly attributes: ReceivedAttributes;
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
  readonly count?: string;
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
  readonly bucketCounts?: readonly string[];
  readonly explicitBounds?: readonly number[];
  readonly asDouble?: number;
}

export interface ReceivedMetric {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly temporality: string;
  readonly isMonotonic?: boolean;
  readonly points: readonly ReceivedPoint[];
}

export interface OtlpReceiver {
  readonly url: string;
  readonly requests: { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  readonly spans: ReceivedSpan[];
  /** Of the last export. */
  readonly metrics: ReceivedMetric[];
  readonly resources: ReceivedAttributes[];
  /** What a request is answered with; the collector takes everything until a test says otherwise. */
  answer: (res: ServerResponse) => void;
  close(): Promise<void>;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const requests: OtlpReceiver["requests"] = [];
  const spans: ReceivedSpan[] = [];
  const received: ReceivedMetric[] = [];
  const resources: ReceivedAttributes[] = [];
  const server = createServer((req, res) => {
    void (async () => {
      const body = await buffer(req);
      const path = req.url ?? "";
      requests.push({ path, headers: req.headers });
      const bytes = req.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
      const message = decode(path.split("?")[0] ?? "", bytes, req.headers["content-type"]);
      for (const { resource, scopeSpans = [] } of message.resourceSpans ?? []) {
        resources.push(attributesOf(resource));
        for (const { spans: some } of scopeSpans) {
          for (const one of some) spans.push({ ...one, attributes: attributesOf(one) } as never);
        }
      }
      for (const { scopeMetrics = [] } of message.resourceMetrics ?? []) {
        received.splice(0);
        for (const { metrics: some } of scopeMetrics) received.push(...some.map(formatMetric));
      }
      receiver.answer(res);
    })().catch((err: unknown) => res.writeHead(400).end(String(err)));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const receiver: OtlpReceiver = {
    url: `http://127.0.0.1:${port}`,
    requests,
    spans,
    metrics: received,
    resources,
    answer: (res) => res.writeHead(200, { "content-type": "application/x-protobuf" }).end(),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
  return receiver;
}

interface Message {
  resourceSpans?: { resource: Attributed; scopeSpans?: { spans: Attributed[] }[] }[];
  resourceMetrics?: { scopeMetrics?: { metrics: ProtoMetric[] }[] }[];
}
interface Attributed {
  attributes?: { key: string; value: Record<string, string | number | boolean> }[];
}
interface ProtoMetric {
  name: string;
  unit: string;
  description: string;
  sum?: { dataPoints: Attributed[]; aggregationTemporality: string; isMonotonic?: boolean };
  histogram?: { dataPoints: Attributed[]; aggregationTemporality: string };
}

/** Both forms end as the same plain object: ids in hex, 64-bit numbers as text, enums by name. */
function decode(path: string, bytes: Buffer, contentType: string | undefined): Message {
  const type = TYPES[path];
  if (type === undefined) throw new Error(`nothing is received at ${path}`);
  if (contentType === "application/json") return fromJson(bytes, type);
  if (contentType !== "application/x-protobuf") throw new Error(`unknown type ${contentType}`);
  const options = { longs: String, enums: String, bytes: String };
  return hexIds(type.toObject(type.decode(bytes), options));
}

/** JSON has ids in hex, where the definitions' own mapping has base64. */
function fromJson(bytes: Buffer, type: MessageType): Message {
  const json: unknown = JSON.parse(bytes.toString("utf8"), (name, value: unknown) => {
    const isHex = /^(trace|span|parentSpan)Id$/.test(name) && typeof value === "string";
    if (isHex && !/^[\da-f]+$/.test(value)) throw new Error(`${name} is not in hex`);
    return isHex ? Buffer.from(value, "hex").toString("base64") : value;
  });
  const message = type.fromObject(json);
  const problem = type.verify(message);
  if (problem !== null) throw new Error(problem);
  const again = type.toObject(message, { longs: String, enums: String, bytes: String });
  return hexIds(again);
}

function hexIds(message: object): Message {
  return JSON.parse(JSON.stringify(message), (name, value: unknown) =>
    /^(trace|span|parentSpan)Id$/.test(name) && typeof value === "string"
      ? Buffer.from(value, "base64").toString("hex")
      : value,
  ) as Message;
}

function attributesOf({ attributes = [] }: Attributed): ReceivedAttributes {
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [[kind, held] = []] = Object.entries(value);
      if (held === undefined) throw new Error(`${key} has no value`);
      return [key, kind === "intValue" ? Number(held) : held];
    }),
  );
}

function formatMetric({ name, unit, description, sum, histogram }: ProtoMetric): ReceivedMetric {
  const data = sum ?? histogram;
  if (data === undefined) throw new Error(`${name} has no data`);
  return {
    name,
    unit,
    description,
    temporality: data.aggregationTemporality,
    ...(sum === undefined ? {} : { isMonotonic: sum.isMonotonic === true }),
    points: data.dataPoints.map(
      (point) => ({ ...point, attributes: attributesOf(point) }) as never,
    ),
  };
}
