import { expect, test } from "vitest";
import { sampleJson } from "./sample-json.ts";

test("the same schema and seed give the same value", () => {
  const schema = { type: "object", properties: { a: { type: "number" }, b: { type: "string" } } };
  expect(sampleJson(schema, "1")).toEqual(sampleJson(schema, "1"));
  expect(sampleJson(schema, "1")).not.toEqual(sampleJson(schema, "2"));
});

test("a schema that contains itself comes to an end", () => {
  const schema = {
    $defs: {
      node: {
        type: "object",
        required: ["left", "right"],
        properties: {
          left: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] },
          right: { $ref: "#/$defs/node" },
        },
      },
    },
    $ref: "#/$defs/node",
  };
  expect(JSON.stringify(sampleJson(schema, "seed")).length).toBeLessThan(50_000);
});

test("bounds, formats, constants and nullable types are kept", () => {
  expect(property({ type: "integer", minimum: 200 })).toBe(200);
  expect(property({ type: "integer", maximum: 0 })).toBe(0);
  expect(property({ type: "string", minLength: 20, maxLength: 20 })).toHaveLength(20);
  expect(property({ type: "string", format: "date" })).toBe("2026-01-01");
  expect(property({ type: ["null", "boolean"] })).toBeTypeOf("boolean");
  expect(property({ const: 7 })).toBe(7);
  expect(property({ type: "array", maxItems: 0 })).toEqual([]);
});

test("a property named __proto__ stays a property", () => {
  const schema = JSON.parse('{"properties":{"__proto__":{"const":1}}}') as Record<string, unknown>;
  expect(JSON.stringify(sampleJson(schema, "seed"))).toBe('{"__proto__":1}');
});

function property(schema: Record<string, unknown>): unknown {
  return sampleJson(schema, "seed");
}
