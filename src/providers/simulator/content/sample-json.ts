import { SeededRandom } from "./seeded-random.ts";

type Schema = Readonly<Record<string, unknown>>;

/** Values made at most, and levels below which nothing optional is made: a recursive schema has an end. */
const MAX_VALUES = 1000;
const FULL_LEVELS = 4;
const MAX_LEVELS = 32;
const MAX_ITEMS = 16;

const WORDS = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "harbor"] as const;

const STRING_FORMATS: Readonly<Record<string, string>> = {
  "date-time": "2026-01-01T00:00:00Z",
  date: "2026-01-01",
  time: "12:00:00Z",
  duration: "PT1H",
  email: "person@example.com",
  hostname: "host.example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uuid: "00000000-0000-4000-8000-000000000000",
  uri: "https://example.com/",
};

/**
 * A value that fits a JSON schema, for structured answers and function arguments. It knows the part of JSON Schema
 * that OpenAI's structured outputs accept; `pattern` and conditional keywords are not looked at.
 */
export function sampleJson(schema: Schema, seed: string): unknown {
  return new Sampler(schema, new SeededRandom(seed)).sample(schema, 0);
}

class Sampler {
  readonly #root: Schema;
  readonly #random: SeededRandom;
  #values = 0;

  constructor(root: Schema, random: SeededRandom) {
    this.#root = root;
    this.#random = random;
  }

  sample(schema: Schema, level: number): unknown {
    this.#values += 1;
    if (level > MAX_LEVELS || this.#values > MAX_VALUES) return null;
    if ("const" in schema) return schema["const"];
    if (Array.isArray(schema["enum"]) && schema["enum"].length > 0) {
      return schema["enum"][this.#random.below(schema["enum"].length)] as unknown;
    }
    const reference = schema["$ref"];
    if (typeof reference === "string") return this.sample(this.#resolve(reference), level + 1);
    const variants = variantsOf(schema);
    if (variants.length > 0) return this.sample(pickVariant(variants, level), level + 1);
    return this.#ofType(typeOf(schema), schema, level);
  }

  #ofType(type: string, schema: Schema, level: number): unknown {
    switch (type) {
      case "object":
        return this.#object(schema, level);
      case "array":
        return this.#array(schema, level);
      case "integer":
      case "number":
        return this.#number(schema);
      case "boolean":
        return this.#random.below(2) === 1;
      case "null":
        return null;
      default:
        return this.#string(schema);
    }
  }

  #object(schema: Schema, level: number): object {
    const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : []);
    const properties = Object.entries(asSchema(schema["properties"])).filter(
      ([name]) => level < FULL_LEVELS || required.has(name),
    );
    return Object.fromEntries(
      properties.map(([name, property]) => [name, this.sample(asSchema(property), level + 1)]),
    );
  }

  #array(schema: Schema, level: number): unknown[] {
    const least = numberIn(schema, "minItems") ?? (level < FULL_LEVELS ? 1 : 0);
    const most = numberIn(schema, "maxItems") ?? MAX_ITEMS;
    const length = Math.max(0, Math.min(least, most, MAX_ITEMS));
    return Array.from({ length }, () => this.sample(asSchema(schema["items"]), level + 1));
  }

  #number(schema: Schema): number {
    const above = numberIn(schema, "exclusiveMinimum");
    const below = numberIn(schema, "exclusiveMaximum");
    const least = numberIn(schema, "minimum") ?? (above === undefined ? undefined : above + 1);
    const most = numberIn(schema, "maximum") ?? (below === undefined ? undefined : below - 1);
    if (least !== undefined) return least;
    return Math.min(1 + this.#random.below(100), most ?? 100);
  }

  #string(schema: Schema): string {
    const format = schema["format"];
    const fixed = typeof format === "string" ? STRING_FORMATS[format] : undefined;
    if (fixed !== undefined) return fixed;
    const word = WORDS[this.#random.below(WORDS.length)] ?? WORDS[0];
    const shortest = Math.min(numberIn(schema, "minLength") ?? 0, 256);
    const longest = numberIn(schema, "maxLength") ?? Infinity;
    return word.padEnd(shortest, "x").slice(0, longest);
  }

  /** `#/$defs/Name`; anything else, or a name that is not there, is an empty schema. */
  #resolve(reference: string): Schema {
    if (reference === "#") return this.#root;
    let found: unknown = this.#root;
    for (const name of reference.split("/").slice(1)) {
      found = Object.hasOwn(asSchema(found), name) ? asSchema(found)[name] : undefined;
    }
    return asSchema(found);
  }
}

function asSchema(value: unknown): Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Schema)
    : {};
}

function variantsOf(schema: Schema): Schema[] {
  for (const name of ["anyOf", "oneOf", "allOf"]) {
    const variants = schema[name];
    if (Array.isArray(variants)) return variants.map(asSchema);
  }
  return [];
}

/** The first variant; deep down the null one, where there is one, so that a recursive schema comes to an end. */
function pickVariant(variants: readonly Schema[], level: number): Schema {
  const nothing = level < FULL_LEVELS ? undefined : variants.find((one) => one["type"] === "null");
  return nothing ?? variants[0] ?? {};
}

function typeOf(schema: Schema): string {
  const type = schema["type"];
  if (Array.isArray(type)) {
    const named = type.find((name) => name !== "null") as unknown;
    return typeof named === "string" ? named : "null";
  }
  if (typeof type === "string") return type;
  return "properties" in schema ? "object" : "string";
}

function numberIn(schema: Schema, name: string): number | undefined {
  const value = schema[name];
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
