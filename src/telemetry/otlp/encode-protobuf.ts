import type { MetricsRequest, TraceRequest } from "./otlp-messages.ts";
import { ProtobufWriter, WIRE_TYPE } from "./protobuf-writer.ts";

/** How a member is written: its field number and its type. Members of a list each, numbers of a list packed. */
type FieldType =
  | "string"
  | "hex"
  | "bool"
  | "int64"
  | "enum"
  | "fixed32"
  | "fixed64"
  | "double"
  | "fixed64s"
  | "doubles"
  | MessageType;
type Field = readonly [number: number, type: FieldType];
interface MessageType {
  readonly [member: string]: Field;
}

const ANY_VALUE: MessageType = {
  stringValue: [1, "string"],
  boolValue: [2, "bool"],
  intValue: [3, "int64"],
  doubleValue: [4, "double"],
};
const KEY_VALUE: MessageType = { key: [1, "string"], value: [2, ANY_VALUE] };
const RESOURCE: MessageType = { attributes: [1, KEY_VALUE] };
const SCOPE: MessageType = { name: [1, "string"], version: [2, "string"] };

const SPAN: MessageType = {
  traceId: [1, "hex"],
  spanId: [2, "hex"],
  traceState: [3, "string"],
  parentSpanId: [4, "hex"],
  name: [5, "string"],
  kind: [6, "enum"],
  startTimeUnixNano: [7, "fixed64"],
  endTimeUnixNano: [8, "fixed64"],
  attributes: [9, KEY_VALUE],
  status: [15, { code: [3, "enum"] }],
  flags: [16, "fixed32"],
};
const TRACE_REQUEST: MessageType = {
  resourceSpans: [
    1,
    { resource: [1, RESOURCE], scopeSpans: [2, { scope: [1, SCOPE], spans: [2, SPAN] }] },
  ],
};

const NUMBER_DATA_POINT: MessageType = {
  startTimeUnixNano: [2, "fixed64"],
  timeUnixNano: [3, "fixed64"],
  asDouble: [4, "double"],
  attributes: [7, KEY_VALUE],
};
const HISTOGRAM_DATA_POINT: MessageType = {
  startTimeUnixNano: [2, "fixed64"],
  timeUnixNano: [3, "fixed64"],
  count: [4, "fixed64"],
  sum: [5, "double"],
  bucketCounts: [6, "fixed64s"],
  explicitBounds: [7, "doubles"],
  attributes: [9, KEY_VALUE],
  min: [11, "double"],
  max: [12, "double"],
};
const METRIC: MessageType = {
  name: [1, "string"],
  description: [2, "string"],
  unit: [3, "string"],
  sum: [
    7,
    {
      dataPoints: [1, NUMBER_DATA_POINT],
      aggregationTemporality: [2, "enum"],
      isMonotonic: [3, "bool"],
    },
  ],
  histogram: [9, { dataPoints: [1, HISTOGRAM_DATA_POINT], aggregationTemporality: [2, "enum"] }],
};
const METRICS_REQUEST: MessageType = {
  resourceMetrics: [
    1,
    { resource: [1, RESOURCE], scopeMetrics: [2, { scope: [1, SCOPE], metrics: [2, METRIC] }] },
  ],
};

export function encodeTraces(request: TraceRequest): Buffer {
  return encode(request, TRACE_REQUEST);
}

export function encodeMetrics(request: MetricsRequest): Buffer {
  return encode(request, METRICS_REQUEST);
}

function encode(message: object, type: MessageType): Buffer {
  const writer = new ProtobufWriter();
  writeMessage(writer, message, type);
  return writer.finish();
}

function writeMessage(writer: ProtobufWriter, message: object, type: MessageType): void {
  for (const member in message) {
    const value = (message as Readonly<Record<string, unknown>>)[member];
    const field = type[member];
    if (field === undefined) throw new Error(`OTLP has no member ${member} here`);
    if (value !== undefined) writeField(writer, field, value);
  }
}

function writeField(writer: ProtobufWriter, [number, type]: Field, value: unknown): void {
  if (typeof type !== "object") {
    SCALARS[type](writer, number, value as never);
    return;
  }
  for (const one of (Array.isArray(value) ? value : [value]) as object[]) {
    writer.tag(number, WIRE_TYPE.bytes);
    writer.nested(() => writeMessage(writer, one, type));
  }
}

type WriteScalar<Value> = (writer: ProtobufWriter, field: number, value: Value) => void;

const writeVarint: WriteScalar<number | string | boolean> = (writer, field, value) => {
  writer.tag(field, WIRE_TYPE.varint);
  writer.varint(Number(value));
};

const SCALARS = {
  string(writer: ProtobufWriter, field: number, value: string) {
    writer.tag(field, WIRE_TYPE.bytes);
    writer.text(value);
  },
  hex(writer: ProtobufWriter, field: number, value: string) {
    writer.tag(field, WIRE_TYPE.bytes);
    writer.hex(value);
  },
  bool: writeVarint,
  int64: writeVarint,
  enum: writeVarint,
  fixed32(writer: ProtobufWriter, field: number, value: number) {
    writer.tag(field, WIRE_TYPE.fixed32);
    writer.fixed32(value);
  },
  fixed64(writer: ProtobufWriter, field: number, value: string) {
    writer.tag(field, WIRE_TYPE.fixed64);
    writer.fixed64(value);
  },
  double(writer: ProtobufWriter, field: number, value: number) {
    writer.tag(field, WIRE_TYPE.fixed64);
    writer.double(value);
  },
  fixed64s(writer: ProtobufWriter, field: number, values: readonly string[]) {
    writer.tag(field, WIRE_TYPE.bytes);
    writer.nested(() => {
      for (const value of values) writer.fixed64(value);
    });
  },
  doubles(writer: ProtobufWriter, field: number, values: readonly number[]) {
    writer.tag(field, WIRE_TYPE.bytes);
    writer.nested(() => {
      for (const value of values) writer.double(value);
    });
  },
} as const satisfies Record<Exclude<FieldType, MessageType>, WriteScalar<never>>;
