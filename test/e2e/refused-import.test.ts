/** A key that cannot be imported must not cost the installation its secrets: the first start alone can show them. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { createHome, type Home, readFirstSecrets } from "../support/keyward-process.ts";

vi.setConfig({ testTimeout: 60_000 });
let home: Home;
afterEach(() => home.remove());

test.each([
  [
    "too long to be stored",
    [`OPENAI_API_KEY=${"k".repeat(600)}`, "OPENAI_BASE_URL=http://127.0.0.1:11434/v1"],
  ],
  [
    "for a base URL that is not allowed",
    [`OPENAI_API_KEY=${"k".repeat(40)}`, "OPENAI_BASE_URL=http://llm.example.com/v1"],
  ],
  [
    "for this machine, which is not allowed by name",
    [`OPENAI_API_KEY=${"k".repeat(40)}`, "OPENAI_BASE_URL=http://127.0.0.1:11434/v1"],
  ],
])("a key that is %s is named, and the first start goes on", async (_, lines) => {
  home = await createHome({ KEYWARD_ALLOWED_PRIVATE_HOSTS: "" });
  await writeFile(join(home.directory, ".env"), `${lines.join("\n")}\n`);
  const keyward = await home.start();
  expect(keyward.stdout()).toMatch(/^passed over in \.env: OPENAI_API_KEY was refused: /m);
  expect(readFirstSecrets(keyward).gatewayKey).toMatch(/^kw_dev_/);
  expect(keyward.output()).not.toContain("k".repeat(40));
  const keys = await home.run("provider-keys", "list", "--json");
  expect(JSON.parse(keys.stdout)).toMatchObject({ data: [] });
});
