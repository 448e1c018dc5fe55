import { createRoute } from "@hono/zod-openapi";
import type { GatewayKeyId } from "../../core/ids/ids.ts";
import {
  createGatewayKey,
  hashGatewayKey,
  previewGatewayKey,
} from "../../core/keys/gateway-key.ts";
import { DEFAULT_OVERLAP_SECONDS } from "../../core/keys/superseded-secret.ts";
import type { GatewayKeyRecord } from "../../store/records.ts";
import type { Repositories } from "../../store/store.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { emptyBody, jsonAnswer } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { findKey, formatKey, KEY_ID_PARAM, NOT_FOUND, reload, statusOf } from "./key-answers.ts";
import { keySchema, rotatedKeySchema, rotationInput } from "./key-schemas.ts";

type RotationDeps = Pick<AdminDeps, "store" | "clock" | "randomBytes">;

const rotateKey = createRoute({
  method: "post",
  path: "/keys/{id}/rotate",
  operationId: "rotateKey",
  tags: ["keys"],
  summary: "Give a gateway key a new secret",
  description:
    "The key stays what it is: its id, budgets, limits and history. Both secrets are accepted until the overlap ends; then the old one is refused with `api_key_rotated`. The new one stands in clear in this answer and in no other. While an old secret is still accepted, another rotation is refused with 409: end that overlap first, or take that rotation back.",
  request: {
    params: KEY_ID_PARAM,
    query: closedQuery({}),
    body: { required: false, content: { "application/json": { schema: rotationInput } } },
  },
  responses: {
    200: jsonAnswer("The gateway key, with its new secret.", rotatedKeySchema),
    ...errorAnswers("not_found", "conflict", ...BODY_CODES),
  },
});

const cancelRotation = createRoute({
  method: "post",
  path: "/keys/{id}/cancel-rotation",
  operationId: "cancelKeyRotation",
  tags: ["keys"],
  summary: "Take a gateway key's last rotation back",
  description:
    "While the old secret is still accepted: it is the key's own again, without an end, and the new one is refused from now on.",
  request: { params: KEY_ID_PARAM, query: closedQuery({}), body: emptyBody },
  responses: {
    200: jsonAnswer("The gateway key, with the secret it had.", keySchema),
    ...errorAnswers("not_found", "conflict", ...BODY_CODES),
  },
});

const endOverlap = createRoute({
  method: "post",
  path: "/keys/{id}/end-overlap",
  operationId: "endKeyOverlap",
  tags: ["keys"],
  summary: "Refuse a gateway key's old secrets from now on",
  description: "Where no old secret is accepted any more, nothing changes, and that is no error.",
  request: { params: KEY_ID_PARAM, query: closedQuery({}), body: emptyBody },
  responses: {
    200: jsonAnswer("The gateway key, with one secret.", keySchema),
    ...errorAnswers("not_found", ...BODY_CODES),
  },
});

export function registerKeyRotation(router: AdminRouter, deps: RotationDeps): void {
  const { store, clock } = deps;

  router.openapi(rotateKey, async (context) => {
    const found = await findKey(deps, context.req.valid("param").id);
    if (!found) return refuse(context, "not_found", NOT_FOUND, "id");
    const { overlapSeconds = DEFAULT_OVERLAP_SECONDS } = context.req.valid("json") ?? {};
    const rotated = await rotate(deps, found, overlapSeconds);
    if ("conflict" in rotated) return refuse(context, "conflict", rotated.conflict, "id");
    const { record, key } = rotated;
    return context.json({ ...(await formatKey(deps, record)), key }, 200);
  });

  router.openapi(cancelRotation, async (context) => {
    const found = await findKey(deps, context.req.valid("param").id);
    if (!found) return refuse(context, "not_found", NOT_FOUND, "id");
    if (!(await store.gatewayKeys.withdrawSecret(found.id, clock.nowMs()))) {
      return refuse(context, "conflict", NOTHING_TO_CANCEL, "id");
    }
    return context.json(await formatKey(deps, await reload(store, found)), 200);
  });

  router.openapi(endOverlap, async (context) => {
    const found = await findKey(deps, context.req.valid("param").id);
    if (!found) return refuse(context, "not_found", NOT_FOUND, "id");
    await store.gatewayKeys.endSuperseded(found.id, clock.nowMs());
    return context.json(await formatKey(deps, await reload(store, found)), 200);
  });
}

const NOTHING_TO_CANCEL =
  "There is no rotation that can be taken back: the key was not rotated, its old secret is refused already, or it is revoked. Rotate it once more for another secret.";

type Rotated =
  | { readonly record: GatewayKeyRecord; readonly key: string }
  | { readonly conflict: string };

/** Checked and done in one transaction: of several rotations at once one is made, so that a key has two secrets at most. */
async function rotate(
  { store, clock, randomBytes }: RotationDeps,
  found: GatewayKeyRecord,
  overlapSeconds: number,
): Promise<Rotated> {
  const environment = await store.environments.findById(found.environmentId);
  if (environment === undefined) throw new Error(`key ${found.id} has no environment`);
  const key = createGatewayKey(environment.kind, randomBytes);
  return await store.transaction(async ({ gatewayKeys }): Promise<Rotated> => {
    const nowMs = clock.nowMs();
    const conflict = await conflictOf(gatewayKeys, found.id, nowMs);
    if (conflict !== undefined) return { conflict };
    const validUntilMs = nowMs + overlapSeconds * 1000;
    const secret = { hash: hashGatewayKey(key), preview: previewGatewayKey(key) };
    await gatewayKeys.replaceSecret(found.id, { ...secret, nowMs, validUntilMs });
    return { record: await reload({ gatewayKeys }, found), key };
  });
}

async function conflictOf(
  gatewayKeys: Repositories["gatewayKeys"],
  id: GatewayKeyId,
  nowMs: number,
): Promise<string | undefined> {
  const record = await gatewayKeys.findById(id);
  const status = record === undefined ? "revoked" : statusOf(record, nowMs);
  if (status === "revoked") return "The key is revoked, for good. Create another one.";
  if (status === "expired") {
    return "The key has expired. Give it another `expiresAt` first (`keyward keys update`), or create another one.";
  }
  const [accepted] = await gatewayKeys.supersededOf([id], nowMs);
  if (accepted === undefined) return undefined;
  const until = new Date(accepted.validUntilMs).toISOString();
  return `The key was rotated already, and its old secret ${accepted.preview} is accepted until ${until}. End that first (\`keyward keys rotate ${id} --end-overlap\`), or take that rotation back (\`--cancel\`).`;
}
