import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { generateApiTypes } from "../../scripts/generate-api-types.ts";

it("has types that are made of the routes as they are (else: npm run api-types)", async () => {
  const committed = await readFile(new URL("api-types.ts", import.meta.url), "utf8");
  expect(await generateApiTypes()).toBe(committed);
}, 30_000);
