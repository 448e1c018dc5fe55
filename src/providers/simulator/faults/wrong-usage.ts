import type { WrongCount } from "./fault.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Where a body or an event may hold its usage: itself, a response (OpenAI), a message (Anthropic). */
const HOLDERS = ["response", "message"] as const;

/** A body or an event whose usage is wrong in the way that `count` says; whatever else it holds stays. */
export function withWrongUsage(body: object, count: WrongCount): object {
  let changed: Fields = body as Fields;
  for (const name of HOLDERS) {
    const inner = changed[name];
    if (isFields(inner)) changed = { ...changed, [name]: spoil(inner, count) };
  }
  return spoil(changed, count);
}

function spoil(holder: Fields, count: WrongCount): Fields {
  const { usage, ...rest } = holder;
  if (!isFields(usage)) return holder;
  return count === "missing" ? rest : { ...rest, usage: spoilCounts(usage, count) };
}

function spoilCounts(usage: Fields, count: Exclude<WrongCount, "missing">): Fields {
  return Object.fromEntries(
    Object.entries(usage).map(([name, value]) => {
      if (typeof value === "number") return [name, spoilCount(value, count)];
      return [name, isFields(value) ? spoilCounts(value, count) : value];
    }),
  );
}

function spoilCount(value: number, count: Exclude<WrongCount, "missing">): unknown {
  switch (count) {
    case "zero":
      return 0;
    case "huge":
      return Number.MAX_SAFE_INTEGER;
    case "negative":
      return -1 - value;
    case "fraction":
      return value + 0.5;
    case "text":
    default:
      return String(value);
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
