import type { Random } from "./random.ts";

/** A body of a chat, written by somebody who has read the JSON grammar for its edges. */
export interface HostileBody {
  readonly bytes: Buffer;
  /** A field that the gateway acts upon stands in it twice: it may not be sent on. */
  readonly isAmbiguous: boolean;
}

const STRINGS = [
  '""',
  '"gpt-4o-mini"',
  '"\\ud800"',
  '"\\udfff\\u0000"',
  '"\\u0000"',
  '"a\\nb"',
  `"${"x".repeat(3000)}"`,
  '"kw_dev_abc"',
  '"\u00e9\u20ac\u{1f600}"',
] as const;
const NUMBERS = ["0", "-0", "1e999", "-1e999", "1E-999", "9007199254740993", `1${"0".repeat(400)}`];
const WORDS = ["true", "false", "null"] as const;
/** No JSON, and yet some parser takes it. */
const SLOPPY = [
  "NaN",
  "Infinity",
  "'a'",
  "undefined",
  "01",
  "+1",
  ".5",
  "1.",
  "0x10",
  "/**/1",
  "tru",
];
const NAMES = [
  "messages",
  "user",
  "safety_identifier",
  "n",
  "tools",
  "metadata",
  "extra",
  "__proto__",
];
const ACTED_UPON = ["model", "stream", "stream_options", "user"];

export function createHostileBody(random: Random): HostileBody {
  const members = [
    `${spell(random, "model")}:${random.chance(0.8) ? '"gpt-4o-mini"' : value(random, 0)}`,
  ];
  if (random.chance(0.4))
    members.push(`${spell(random, "stream")}:${random.pick(["true", "false", '"true"', "1"])}`);
  for (let i = random.below(4); i > 0; i -= 1) {
    const name = random.pick(NAMES);
    members.push(`"${name}-${i}":${value(random, 0)}`);
  }
  if (random.chance(0.5))
    members.push(`"messages":[{"role":"user","content":${value(random, 0)}}]`);
  if (random.chance(0.1)) members.push(`"user":${value(random, 0)}`);
  if (random.chance(0.1)) members.push(`"stream_options":${value(random, 0)}`);
  const isAmbiguous = random.chance(0.15);
  if (isAmbiguous) {
    const name = random.pick(ACTED_UPON);
    members.push(`"${name}":null`, `${spell(random, name)}:"other"`);
  }
  const text = shuffled(random, members).join(random.chance(0.9) ? "," : " , ");
  return { bytes: wrap(random, `{${text}}`), isAmbiguous };
}

function wrap(random: Random, text: string): Buffer {
  const bytes = Buffer.from(text);
  switch (random.below(12)) {
    case 0:
      return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]);
    case 1:
      return Buffer.concat([Buffer.from(" \r\n\t"), bytes, Buffer.from("\n ")]);
    case 2:
      return Buffer.from(text.replace('"gpt', '"\u00ffgpt'), "latin1");
    default:
      return bytes;
  }
}

/** The same key to every JSON parser. */
function spell(random: Random, name: string): string {
  if (random.chance(0.7)) return `"${name}"`;
  const at = random.below(name.length);
  const code = name.charCodeAt(at).toString(16).padStart(4, "0");
  return `"${name.slice(0, at)}\\u${code}${name.slice(at + 1)}"`;
}

function value(random: Random, depth: number): string {
  switch (random.below(depth > 3 ? 4 : 8)) {
    case 0:
      return random.pick(STRINGS);
    case 1:
      return random.pick(NUMBERS);
    case 2:
      return random.pick(WORDS);
    case 3:
      return random.chance(0.3) ? random.pick(SLOPPY) : '"text"';
    case 4:
      return nest(random, 1 + random.below(3000));
    case 5:
      return `[${list(random, depth)}]`;
    default:
      return `{"model":${value(random, depth + 1)},"stream":true,"a":${value(random, depth + 1)}}`;
  }
}

function list(random: Random, depth: number): string {
  return Array.from({ length: random.below(5) }, () => value(random, depth + 1)).join(",");
}

function nest(random: Random, depth: number): string {
  const [open, close] = random.chance(0.5) ? ["[", "]"] : ['{"a":', "}"];
  return `${open.repeat(depth)}1${random.chance(0.9) ? close.repeat(depth) : ""}`;
}

function shuffled<Item>(random: Random, items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, order: random.below(2 ** 30) }))
    .toSorted((one, other) => one.order - other.order)
    .map(({ item }) => item);
}
