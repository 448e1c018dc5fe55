import { formatUsd, type Picos } from "../../core/money/picos.ts";

/**
 * A record as JSON text for the audit log: amounts as USD (`limitPicos` becomes `limitUsd`), instants as ISO 8601
 * (`createdAtMs` becomes `createdAt`). Bytes are left out: in records they are sealed secrets.
 */
export function auditedText(record: object): string {
  return JSON.stringify(auditedFields(record));
}

/** What differs between two states of one record, as two texts; undefined when nothing does. */
export function auditedDifference(
  before: object,
  after: object,
): { readonly before: string; readonly after: string } | undefined {
  const was = auditedFields(before);
  const is = auditedFields(after);
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter(
    (name) => JSON.stringify(was[name]) !== JSON.stringify(is[name]),
  );
  if (names.length === 0) return undefined;
  const only = (fields: Fields) =>
    JSON.stringify(Object.fromEntries(names.map((name) => [name, fields[name] ?? null])));
  return { before: only(was), after: only(is) };
}

type Fields = Record<string, unknown>;

function auditedFields(record: object): Fields {
  const fields: Fields = {};
  for (const [name, value] of Object.entries(record)) {
    const [key, audited] = auditedField(name, value);
    if (audited !== undefined) fields[key] = audited;
  }
  return fields;
}

function auditedField(name: string, value: unknown): readonly [string, unknown] {
  if (typeof value === "bigint" || (value === null && name.endsWith("Picos"))) {
    const key = name.replace(/Picos$/, "Usd");
    return [key, typeof value === "bigint" ? formatUsd(value as Picos) : value];
  }
  if (/(?:At|From|Until|Since|^from|^until)Ms$/.test(name)) {
    const key = name.slice(0, -"Ms".length);
    return [key, typeof value === "number" ? formatTime(value) : value];
  }
  return [name, auditedValue(value)];
}

function auditedValue(value: unknown): unknown {
  if (value instanceof Uint8Array) return undefined;
  if (Array.isArray(value)) return value.map(auditedValue);
  return typeof value === "object" && value !== null ? auditedFields(value) : value;
}

/** An instant that no calendar has stays a number. */
function formatTime(ms: number): string | number {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? ms : date.toISOString();
}
