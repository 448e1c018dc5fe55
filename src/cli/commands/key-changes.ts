import { expectData } from "../../admin/client.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { formatTime } from "../format-cells.ts";
import { given } from "../given.ts";
import { parseExpiry, PERMISSION_OPTIONS, permissionsOf } from "../key-options.ts";
import { parseDuration } from "../parse-duration.ts";
import { printKey } from "../print-key.ts";

const ID = { id: { description: "the gateway key's id" } } as const;

export const update = defineCommand({
  summary: "change what a gateway key may do",
  details:
    "Reaches every process within a second. What is not named stays as it is; `any` takes a list away, `--expires never` the expiry.",
  examples: [
    "keyward keys update key_01JZ6Y4V2S8W3N5R7T9X0B1C2D --expires 30d",
    "keyward keys update key_01JZ6Y4V2S8W3N5R7T9X0B1C2D --endpoint @text --endpoint embeddings --ip 10.1.0.0/16",
    "keyward keys update key_01JZ6Y4V2S8W3N5R7T9X0B1C2D --model any --expires never",
  ],
  reach: "admin",
  printsData: true,
  arguments: ID,
  options: {
    name: { value: "name", description: "for people" },
    expires: {
      value: "when",
      description: "a time, from now (90d, 12h), or never",
      param: "expiresAt",
    },
    ...PERMISSION_OPTIONS,
    forBrowsers: { description: "browsers may send it", param: "isForBrowsers" },
    notForBrowsers: { description: "browsers may not send it" },
  },
  async run({ admin, arguments: { id }, io, options, output }) {
    const { name, expires, forBrowsers, notForBrowsers } = options;
    if (forBrowsers && notForBrowsers) {
      throw new CliError("--for-browsers and --not-for-browsers exclude each other", {
        isUsage: true,
      });
    }
    const body = {
      ...given({ name }),
      ...(expires === undefined ? {} : { expiresAt: expiryOf(expires, io.nowMs()) }),
      ...permissionsOf(options),
      ...(forBrowsers || notForBrowsers ? { isForBrowsers: forBrowsers } : {}),
    };
    if (Object.keys(body).length === 0) {
      throw new CliError("nothing was named that is to change", {
        isUsage: true,
        advice: "keyward keys update --help",
      });
    }
    const client = await admin();
    const params = { path: { id } };
    const key = expectData(await client.PATCH("/keys/{id}", { params, body }));
    await output.data(key, () => {
      printKey(key, output);
      for (const warning of key.warnings) output.warn(warning);
    });
  },
});

function expiryOf(text: string, nowMs: number): string | null {
  return text === "never" ? null : parseExpiry(text, nowMs);
}

export const rotate = defineCommand({
  summary: "give a gateway key a new secret, both accepted for a while",
  details:
    "The key keeps its id, budgets, limits and history. The new secret stands alone on standard output and is not shown again; the old one is accepted until the overlap ends, a day unless --overlap says otherwise. --cancel takes the last rotation back while the old secret is still accepted; --end-overlap refuses the old one from now on. Another rotation has to wait for one of the two, or for the overlap's end.",
  examples: [
    "keyward keys rotate key_01JZ6Y4V2S8W3N5R7T9X0B1C2D",
    "keyward keys rotate key_01JZ6Y4V2S8W3N5R7T9X0B1C2D --overlap 7d",
    "keyward keys rotate key_01JZ6Y4V2S8W3N5R7T9X0B1C2D --overlap 0",
    "keyward keys rotate key_01JZ6Y4V2S8W3N5R7T9X0B1C2D --end-overlap",
    "keyward keys rotate key_01JZ6Y4V2S8W3N5R7T9X0B1C2D --cancel",
  ],
  reach: "admin",
  printsData: true,
  arguments: ID,
  options: {
    overlap: {
      value: "span",
      description: "how long the old secret is accepted: 24h, 7d, 0",
      param: "overlapSeconds",
      unit: "seconds",
    },
    cancel: { description: "take the last rotation back" },
    endOverlap: { description: "refuse the old secrets from now on" },
  },
  async run({ admin, arguments: { id }, options, output }) {
    const { overlap, cancel, endOverlap } = options;
    if ([overlap !== undefined, cancel, endOverlap].filter(Boolean).length > 1) {
      throw new CliError("--overlap, --cancel and --end-overlap exclude each other", {
        isUsage: true,
      });
    }
    const client = await admin();
    const params = { path: { id } };
    if (cancel) {
      const key = expectData(await client.POST("/keys/{id}/cancel-rotation", { params }));
      await output.data(key, () => output.line(`${key.name} has its old secret (${key.preview})`));
      return;
    }
    if (endOverlap) {
      const key = expectData(await client.POST("/keys/{id}/end-overlap", { params }));
      await output.data(key, () => output.line(`${key.name} has one secret (${key.preview})`));
      return;
    }
    const body =
      overlap === undefined ? {} : { overlapSeconds: parseDuration(overlap, "--overlap") };
    const key = expectData(await client.POST("/keys/{id}/rotate", { params, body }));
    await output.data(key, () => {
      output.line(key.key);
      output.note(`${key.id} (${key.name}); the new secret is not shown again`);
      for (const { preview, validUntil } of key.oldSecrets) {
        output.note(`${preview} is accepted until ${formatTime(validUntil)}`);
      }
    });
  },
});
