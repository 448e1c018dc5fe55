/**
 * One journal record is one line: eight hex digits of CRC-32, a space, a JSON array, a line feed. The array starts
 * with the kind and the format's version; fields follow by position (half the bytes and half the time of named ones),
 * money as decimal strings. The CRC covers the array's bytes, so a torn or altered line is told from a whole one.
 */
import { crc32 } from "node:zlib";
import { picos, type Picos } from "../../core/money/picos.ts";
import type { CallIntent, CallOutcome, UsageEvent } from "../../core/usage/usage-event.ts";

const VERSION = 1;
const OPENED = `["o",${VERSION},`;
const SETTLED = `["s",${VERSION},`;
const CRC_DIGITS = 8;
const HEX_OF_BYTE: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, "0"),
);

/** The bytes of a segment that count. What stands behind them was never acknowledged. */
export interface SegmentExtent {
  readonly segment: number;
  readonly bytes: number;
}

/** `abandoned`: earlier segments whose tail could not be cut off after a failed write. First line of every segment. */
interface HeaderRecord {
  readonly kind: "header";
  readonly abandoned: readonly SegmentExtent[];
}
interface OpenedRecord {
  readonly kind: "opened";
  readonly intent: CallIntent;
}
interface SettledRecord {
  readonly kind: "settled";
  readonly event: UsageEvent;
}
/** Whole, but written by a newer Keyward. */
interface UnsupportedRecord {
  readonly kind: "unsupported";
  readonly version: number;
}
export type JournalRecord = HeaderRecord | OpenedRecord | SettledRecord | UnsupportedRecord;

export function encodeHeader(abandoned: readonly SegmentExtent[]): string {
  return line(JSON.stringify(["h", VERSION, abandoned.map((one) => [one.segment, one.bytes])]));
}

/** What the records of a call have in common: the fields of its intent. */
export interface WrittenIntent {
  readonly fields: readonly unknown[];
  /** The fields as they stand in a record. */
  readonly text: string;
}

export function writeIntent(intent: CallIntent): WrittenIntent {
  const fields = intentFields(intent);
  return { fields, text: JSON.stringify(fields) };
}

export function encodeIntent({ text }: WrittenIntent): string {
  return line(OPENED + text + "]");
}

/** `opened`: what was written of the event's intent. Mostly the event has not changed it, and it need not be made twice. */
export function encodeEvent(event: UsageEvent, opened: WrittenIntent): string {
  const fields = intentFields(event);
  const text = isSame(fields, opened.fields) ? opened.text : JSON.stringify(fields);
  return line(SETTLED + text + "," + JSON.stringify(outcomeFields(event)) + "]");
}

/** `bytes` is one line without its line feed. Undefined when it is not whole: torn, altered, or no record at all. */
export function decodeRecord(bytes: Buffer): JournalRecord | undefined {
  if (bytes.length <= CRC_DIGITS + 1 || bytes[CRC_DIGITS] !== SPACE) return undefined;
  const body = bytes.subarray(CRC_DIGITS + 1);
  if (bytes.toString("latin1", 0, CRC_DIGITS) !== crcDigits(crc32(body))) return undefined;
  try {
    return readRecord(JSON.parse(body.toString("utf8")) as unknown);
  } catch {
    // The CRC holds and the content is still no JSON, or no number where one must be: as unreadable as an altered line.
    return undefined;
  }
}

function readRecord(value: unknown): JournalRecord | undefined {
  if (!Array.isArray(value)) return undefined;
  const [kind, version, first, second] = value as unknown[];
  if (typeof version !== "number") return undefined;
  if (version !== VERSION) return { kind: "unsupported", version };
  if (kind === "o" && isIntent(first)) {
    return { kind: "opened", intent: readIntent(first as IntentFields) };
  }
  if (kind === "s" && isIntent(first) && isOutcome(second)) {
    const intent = readIntent(first as IntentFields);
    return {
      kind: "settled",
      event: { ...intent, ...readOutcome(second as OutcomeFields) },
    };
  }
  if (kind === "h" && Array.isArray(first)) {
    const pairs = first as readonly (readonly [number, number])[];
    return { kind: "header", abandoned: pairs.map(([segment, bytes]) => ({ segment, bytes })) };
  }
  return undefined;
}

function isSame(fields: readonly unknown[], others: readonly unknown[]): boolean {
  if (fields.length !== others.length) return false;
  for (let i = 0; i < fields.length; i += 1) if (fields[i] !== others[i]) return false;
  return true;
}

/** Lines are added up, and no templates: those ask of every part whether it is a text, which takes as long as the CRC. */
function line(body: string): string {
  return crcDigits(crc32(body)) + " " + body + "\n";
}

/** Put together from pieces: `toString` and `padStart` take as long as the CRC itself. */
function crcDigits(crc: number): string {
  return hexOfByte(crc >>> 24) + hexOfByte(crc >>> 16) + hexOfByte(crc >>> 8) + hexOfByte(crc);
}

function hexOfByte(value: number): string {
  return HEX_OF_BYTE[value & 0xff] as string;
}

function isIntent(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  return value.length >= OLDEST_INTENT_FIELDS && value.length <= MOST_INTENT_FIELDS;
}

function isTuple(value: unknown, length: number): value is readonly unknown[] {
  return Array.isArray(value) && value.length === length;
}

function isOutcome(value: unknown): boolean {
  return isTuple(value, OUTCOME_FIELDS) || isTuple(value, OLDEST_OUTCOME_FIELDS);
}

const SPACE = 0x20;
/** Before a call could have several attempts. */
const OLDEST_INTENT_FIELDS = 17;
/** With what few calls have: work that is charged later, and a client token. */
const MOST_INTENT_FIELDS = 20;
const OUTCOME_FIELDS = 15;
/** Before there were variants. */
const OLDEST_OUTCOME_FIELDS = 13;
type IntentFields = readonly [
  ...ReturnType<typeof plainIntentFields>,
  (CallIntent["deferred"] | null)?,
  CallIntent["clientTokenId"]?,
];
type OutcomeFields = ReturnType<typeof outcomeFields>;

function intentFields(intent: CallIntent): IntentFields {
  const fields = plainIntentFields(intent);
  const { deferred, clientTokenId } = intent;
  if (clientTokenId !== undefined) return [...fields, deferred ?? null, clientTokenId];
  return deferred === undefined ? fields : [...fields, deferred];
}

function plainIntentFields(intent: CallIntent) {
  return [
    intent.id,
    intent.requestId,
    intent.startedAtMs,
    intent.projectId,
    intent.environmentId,
    intent.gatewayKeyId,
    intent.customer,
    intent.feature,
    intent.operation,
    intent.method,
    intent.path,
    intent.provider,
    intent.providerAccountId,
    intent.providerKeyId,
    intent.requestedModel,
    intent.isStream,
    formatMoney(intent.holdPicos),
    intent.attempt,
  ] as const;
}

function readIntent(fields: IntentFields): CallIntent {
  const deferred = fields[18] ?? undefined;
  return {
    id: fields[0],
    requestId: fields[1],
    startedAtMs: fields[2],
    projectId: fields[3],
    environmentId: fields[4],
    gatewayKeyId: fields[5],
    customer: fields[6],
    feature: fields[7],
    operation: fields[8],
    method: fields[9],
    path: fields[10],
    provider: fields[11],
    providerAccountId: fields[12],
    providerKeyId: fields[13],
    requestedModel: fields[14],
    isStream: fields[15],
    holdPicos: parseMoney(fields[16]),
    attempt: fields[17] ?? 1,
    ...(deferred !== undefined && { deferred }),
    ...(fields[19] !== undefined && { clientTokenId: fields[19] }),
  };
}

function outcomeFields(outcome: CallOutcome) {
  return [
    outcome.status,
    outcome.httpStatus,
    outcome.durationMs,
    outcome.firstByteMs,
    outcome.providerResponseId,
    outcome.servedModel,
    outcome.serviceTier,
    outcome.usageSource,
    outcome.quantities,
    outcome.pricing,
    formatMoney(outcome.costPicos),
    formatMoney(outcome.pricePicos),
    outcome.priceRowId,
    outcome.variant,
    outcome.sentModel,
  ] as const;
}

function readOutcome(fields: OutcomeFields): CallOutcome {
  return {
    status: fields[0],
    httpStatus: fields[1],
    durationMs: fields[2],
    firstByteMs: fields[3],
    providerResponseId: fields[4],
    servedModel: fields[5],
    serviceTier: fields[6],
    usageSource: fields[7],
    quantities: fields[8],
    pricing: fields[9],
    costPicos: parseMoney(fields[10]),
    pricePicos: parseMoney(fields[11]),
    priceRowId: fields[12],
    // Absent in what an older Keyward wrote.
    variant: fields[13] ?? null,
    sentModel: fields[14] ?? null,
  };
}

function formatMoney(amount: Picos | null): string | null {
  return amount === null ? null : amount.toString();
}

function parseMoney(text: string | null): Picos | null {
  return text === null ? null : picos(BigInt(text));
}
