import { createRoute, z } from "@hono/zod-openapi";
import {
  DEFAULT_GRACE_SECONDS,
  DEFAULT_OBSERVE_SECONDS,
} from "../../core/rotation/rotation-schedule.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse } from "../answers/refusal.ts";
import { beginRotation } from "../begin-rotation.ts";
import { closedObject, closedQuery } from "../fields/closed-object.ts";
import { instantField } from "../fields/instants.ts";
import { idParam } from "../fields/names.ts";
import { providerSecretField } from "../fields/provider-secret.ts";
import { findProviderKey, NO_PROVIDER_KEY } from "../find-provider-key.ts";
import { NameLookup } from "../name-lookup.ts";
import {
  formatKeyUsers,
  formatRotation,
  readingOf,
  keyUsersSchema,
  rotationSchema,
} from "./rotation-answers.ts";

const ID_PARAM = idParam("pky_01JZ6Y4V2S8W3N5R7T9X0B1C2D");
const MAX_OBSERVE_SECONDS = 7 * 24 * 3600;
const MAX_GRACE_SECONDS = 30 * 24 * 3600;

const rotationInput = closedObject({
  secret: providerSecretField.optional().openapi({
    description:
      "The new secret, made at the provider by hand. Absent: the provider is asked for one with the account's admin key.",
  }),
  compromise: z.boolean().optional().openapi({
    description:
      "The old secret is in wrong hands: it is revoked as soon as a call with the new one was answered, and not before. There is no grace.",
    example: false,
  }),
  observeSeconds: z
    .int()
    .min(0)
    .max(MAX_OBSERVE_SECONDS)
    .optional()
    .openapi({
      description: `How long the first use of the new secret is waited for where nobody calls. Absent: ${DEFAULT_OBSERVE_SECONDS}.`,
      example: DEFAULT_OBSERVE_SECONDS,
    }),
  graceSeconds: z
    .int()
    .min(0)
    .max(MAX_GRACE_SECONDS)
    .optional()
    .openapi({
      description: `How long both secrets are kept after the new one was seen in use. Absent: ${DEFAULT_GRACE_SECONDS}.`,
      example: DEFAULT_GRACE_SECONDS,
    }),
}).openapi("ProviderKeyRotationInput");

const rotateProviderKey = createRoute({
  method: "post",
  path: "/provider-keys/{id}/rotate",
  operationId: "rotateProviderKey",
  tags: ["provider keys"],
  summary: "Give a provider key another secret, without a call that fails",
  description:
    "Begins a rotation and answers at once; `GET /rotations/{id}` says how it goes. The key stays what it is: its id, weight, rules and history. The old secret is not revoked before the new one was seen to work.",
  request: {
    params: ID_PARAM,
    query: closedQuery({}),
    body: { required: false, content: { "application/json": { schema: rotationInput } } },
  },
  responses: {
    201: jsonAnswer("The rotation, begun.", rotationSchema),
    ...errorAnswers("not_found", "conflict", ...BODY_CODES),
  },
});

const listProviderKeyUsers = createRoute({
  method: "get",
  path: "/provider-keys/{id}/users",
  operationId: "listProviderKeyUsers",
  tags: ["provider keys"],
  summary: "Who has called with a provider key: gateway keys and customers, the last first",
  request: {
    params: ID_PARAM,
    query: closedQuery({
      since: instantField("Calls before it are not counted. Absent: 30 days ago.").optional(),
    }),
  },
  responses: {
    200: jsonAnswer("Who has called with it; at most 1000.", keyUsersSchema),
    ...errorAnswers("not_found"),
  },
});

const MAX_USERS = 1000;
const DEFAULT_SINCE_MS = 30 * 24 * 3600 * 1000;

export function registerProviderKeyRotation(
  router: AdminRouter,
  deps: Pick<AdminDeps, "store" | "vault" | "ids" | "clock" | "keyDesk" | "providers">,
): void {
  const { store, clock, keyDesk } = deps;

  router.openapi(rotateProviderKey, async (context) => {
    const key = await findProviderKey(deps, context.req.valid("param").id);
    if (!key) return refuse(context, "not_found", NO_PROVIDER_KEY, "id");
    const input = context.req.valid("json") ?? {};
    if (input.secret === undefined) {
      const account = await store.providerAccounts.findById(key.accountId);
      if (!account) throw new Error(`provider key ${key.id} has no account`);
      const found = await keyDesk.administrationOf(account);
      if (found.kind === "absent") {
        const message = `The provider cannot be asked for a new secret: ${found.problem}. Or bring a new \`secret\`.`;
        return refuse(context, "conflict", message, "secret");
      }
    }
    const begun = await beginRotation(
      { ...deps, nowMs: () => clock.nowMs() },
      {
        key,
        secret: input.secret,
        isCompromise: input.compromise ?? false,
        observeMs: (input.observeSeconds ?? DEFAULT_OBSERVE_SECONDS) * 1000,
        graceMs: (input.graceSeconds ?? DEFAULT_GRACE_SECONDS) * 1000,
        trigger: "request",
        createdBy: context.get("principal").name,
      },
    );
    if ("conflict" in begun) return refuse(context, "conflict", begun.conflict, begun.param);
    keyDesk.wake();
    return context.json(await formatRotation(begun.record, readingOf(deps)), 201);
  });

  router.openapi(listProviderKeyUsers, async (context) => {
    const key = await findProviderKey(deps, context.req.valid("param").id);
    if (!key) return refuse(context, "not_found", NO_PROVIDER_KEY, "id");
    const { since = clock.nowMs() - DEFAULT_SINCE_MS } = context.req.valid("query");
    const users = await store.rotation.usersOf(key.id, since, MAX_USERS);
    return context.json(await formatKeyUsers(since, users, new NameLookup(store)), 200);
  });
}
