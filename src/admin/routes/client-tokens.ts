import { createRoute, z } from "@hono/zod-openapi";
import { type ClientTokenId, isId } from "../../core/ids/ids.ts";
import {
  CLIENT_TOKEN_ENDPOINTS,
  type ClientTokenClaims,
  createClientToken,
  DEFAULT_CLIENT_TOKEN_ENDPOINTS,
  DEFAULT_CLIENT_TOKEN_SECONDS,
  MAX_CLIENT_TOKEN_CHARACTERS,
  MAX_CLIENT_TOKEN_MODELS,
  MAX_CLIENT_TOKEN_SECONDS,
} from "../../core/keys/client-token.ts";
import { createEndpointSet } from "../../core/policy/endpoint-pattern.ts";
import type { EnvironmentRecord, GatewayKeyRecord } from "../../store/records.ts";
import type { Repositories } from "../../store/store.ts";
import { clientTokenPurpose } from "../../vault/vault.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import type { Problem } from "../answers/error-body.ts";
import { jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { callerAddress } from "../caller-address.ts";
import { closedObject, closedQuery } from "../fields/closed-object.ts";
import { formatInstant, instantAnswer } from "../fields/instants.ts";
import { externalIdField, nameField, referenceField } from "../fields/names.ts";
import { References } from "../references.ts";
import { listOfNames, modelField } from "./key-schemas.ts";
import { amountFields, limitAmountsSchema } from "./limit-schemas.ts";

type TokenDeps = Pick<
  AdminDeps,
  "store" | "vault" | "ids" | "clock" | "clientAddressOf" | "onClientToken"
>;

const TAGS = ["client tokens"];
/** Shorter, and clocks that differ a little would make it nothing. */
const MIN_SECONDS = 30;

const tokenInput = closedObject({
  key: referenceField(
    "Id of the gateway key that the token is made under: it may do no more than the key, its calls are the key's, and it ends with it.",
    "key_01JZ6Y4V2S8W3N5R7T9X0B1C2D",
  ),
  customer: externalIdField.openapi({
    description: "Whose calls they are, whatever a call says. Need not be known yet.",
  }),
  models: z.array(modelField).min(1).max(MAX_CLIENT_TOKEN_MODELS).openapi({
    description: "The models it may call, by their full names.",
  }),
  endpoints: listOfNames(
    z.enum(CLIENT_TOKEN_ENDPOINTS),
    `The endpoints it may call. Absent: ${DEFAULT_CLIENT_TOKEN_ENDPOINTS.map((one) => `\`${one}\``).join(", ")}. No token can list, read back or delete what calls have made.`,
  ),
  expiresInSeconds: z
    .int()
    .min(MIN_SECONDS)
    .max(MAX_CLIENT_TOKEN_SECONDS)
    .optional()
    .openapi({
      description: `Absent: ${DEFAULT_CLIENT_TOKEN_SECONDS}, ten minutes.`,
      example: DEFAULT_CLIENT_TOKEN_SECONDS,
    }),
  limits: closedObject(amountFields)
    .openapi("ClientTokenLimitsInput")
    .nullish()
    .openapi({ description: "Of the token alone, over all processes." }),
  feature: nameField("What part of the product calls.", "support-chat").nullish(),
}).openapi("ClientTokenInput");

const tokenSchema = z
  .object({
    id: z.string().openapi({ example: "ctk_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    token: z.string().openapi({
      description: "For the page. Kept nowhere; whoever has it can read what it allows.",
      example: "kwc_live_<claims>.<tag>",
    }),
    keyId: z.string(),
    environment: z.string(),
    customer: z.string(),
    feature: z.string().nullable(),
    models: z.array(z.string()),
    endpoints: z.array(z.string()),
    limits: z.object(limitAmountsSchema).openapi("ClientTokenLimits"),
    expiresAt: instantAnswer("It is refused from then on; a call that has begun goes on."),
  })
  .openapi("ClientToken");

const create = createRoute({
  method: "post",
  path: "/client-tokens",
  operationId: "createClientToken",
  tags: TAGS,
  summary: "Make a token for a page in a browser, good for minutes",
  request: { query: closedQuery({}), body: jsonBody(tokenInput) },
  responses: {
    201: jsonAnswer("The token.", tokenSchema),
    ...errorAnswers("conflict", ...BODY_CODES),
  },
});

const revocationInput = closedObject({
  customer: externalIdField.optional(),
  environment: referenceField("An environment's name or id.", "production").optional(),
})
  .refine(({ customer, environment }) => (customer === undefined) !== (environment === undefined), {
    message: "must have either `customer` or `environment`",
  })
  .openapi("ClientTokenRevocationInput");

const revocationSchema = z
  .object({
    customer: z.string().nullable(),
    environment: z.string().nullable(),
    revokedAt: instantAnswer("Every token that was made before is refused."),
  })
  .openapi("ClientTokenRevocation");

const revoke = createRoute({
  method: "post",
  path: "/client-tokens/revoke",
  operationId: "revokeClientTokens",
  tags: TAGS,
  summary: "Revoke every client token of a customer or an environment",
  description:
    "All that were made so far, in every process within a second; calls in flight with one are ended. New ones can be made at once. For an environment another signing key takes over as well. Tokens of one gateway key end when that is revoked.",
  request: { query: closedQuery({}), body: jsonBody(revocationInput) },
  responses: {
    200: jsonAnswer("They are revoked.", revocationSchema),
    ...errorAnswers(...BODY_CODES),
  },
});

export function registerClientTokens(router: AdminRouter, deps: TokenDeps): void {
  const { store, clock } = deps;

  router.openapi(create, async (context) => {
    const input = context.req.valid("json");
    const nowMs = clock.nowMs();
    const key = isId("key", input.key) ? await store.gatewayKeys.findById(input.key) : undefined;
    const environment = key && (await store.environments.findById(key.environmentId));
    if (key === undefined || environment === undefined) {
      const message = "There is no gateway key of this id. See `keyward keys list`.";
      return refuseProblems(context, [{ param: "key", message }]);
    }
    if (key.revokedAtMs !== null || (key.expiresAtMs !== null && key.expiresAtMs <= nowMs)) {
      const message = "The gateway key is revoked or has expired: nothing can be made under it.";
      return refuse(context, "conflict", message, "key");
    }
    const problems = await problemsOf(deps, key, input);
    if (problems.length > 0) return refuseProblems(context, problems);
    const { claims, made } = await make(deps, { key, environment, input, nowMs });
    if (made.token.length > MAX_CLIENT_TOKEN_CHARACTERS) {
      const message = `The token would have ${made.token.length} characters, more than the ${MAX_CLIENT_TOKEN_CHARACTERS} that go in a header: name fewer models.`;
      return refuseProblems(context, [{ param: "models", message }]);
    }
    const { id, keyId, customer, expiresAtMs } = claims;
    deps.onClientToken?.({
      requestId: context.get("requestId"),
      id,
      keyId,
      customer,
      expiresAtMs,
      by: context.get("actor"),
      address: callerAddress(deps, context),
    });
    return context.json(made, 201);
  });

  router.openapi(revoke, async (context) => {
    const { customer, environment: named } = context.req.valid("json");
    const references = new References(store);
    const environment =
      named === undefined ? undefined : await references.environment("environment", named);
    if (references.problems.length > 0) return refuseProblems(context, references.problems);
    if (environment !== undefined) {
      const { id: subject } = environment;
      await store.exposure.clientTokens.revoke({ kind: "environment", subject });
    } else if (customer !== undefined) {
      await store.exposure.clientTokens.revoke({ kind: "customer", subject: customer });
    }
    const revokedAt = formatInstant(clock.nowMs());
    const of = { customer: customer ?? null, environment: environment?.name ?? null };
    return context.json({ ...of, revokedAt }, 200);
  });
}

type Input = z.output<typeof tokenInput>;

/** A token that could do nothing, or would seem to do more than its key, is a mistake of whoever asks for it. */
async function problemsOf(
  { store }: Pick<TokenDeps, "store">,
  key: GatewayKeyRecord,
  { models, endpoints, customer }: Input,
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  const bound = await boundCustomer(store, key);
  if (bound !== null && bound !== customer) {
    const message = "The gateway key is bound to another customer.";
    problems.push({ param: "customer", message });
  }
  if (new Set(models).size < models.length) {
    problems.push({ param: "models", message: "`models` must not name anything twice." });
  }
  const refused = models.filter((model) => key.allowedModels?.includes(model) === false);
  if (refused.length > 0) {
    const message = "The gateway key itself may not call all of these models.";
    problems.push({ param: "models", message });
  }
  const allowed = createEndpointSet(key.allowedEndpoints);
  const isBeyond = (endpoints ?? []).some((one) => allowed?.has(`/v1/${one}`) === false);
  if (isBeyond) {
    const message = "The gateway key itself may not call all of these endpoints.";
    problems.push({ param: "endpoints", message });
  }
  return problems;
}

async function boundCustomer(
  { customers }: Pick<Repositories, "customers">,
  { customerId }: GatewayKeyRecord,
): Promise<string | null> {
  if (customerId === null) return null;
  return (await customers.findById(customerId))?.externalId ?? null;
}

interface Making {
  readonly key: GatewayKeyRecord;
  readonly environment: EnvironmentRecord;
  readonly input: Input;
  readonly nowMs: number;
}

async function make(
  { store, vault, ids }: TokenDeps,
  { key, environment, input, nowMs }: Making,
): Promise<{ readonly claims: ClientTokenClaims; readonly made: z.input<typeof tokenSchema> }> {
  // In this order: a revocation in between finds the token older than it is.
  const madeAfter = await store.changes.latestSequence();
  const signingKey = await store.exposure.clientTokens.currentSigningKey(environment.id);
  const { expiresInSeconds = DEFAULT_CLIENT_TOKEN_SECONDS, limits } = input;
  const wantedMs = nowMs + expiresInSeconds * 1000;
  const claims: ClientTokenClaims = {
    id: ids.create("ctk") satisfies ClientTokenId,
    keyId: key.id,
    environmentId: environment.id,
    signingKey,
    madeAfter,
    customer: input.customer,
    feature: input.feature ?? null,
    models: input.models,
    endpoints: input.endpoints ?? DEFAULT_CLIENT_TOKEN_ENDPOINTS,
    limits: {
      requestsPerMinute: limits?.requestsPerMinute ?? null,
      tokensPerMinute: limits?.tokensPerMinute ?? null,
      concurrency: limits?.concurrency ?? null,
    },
    expiresAtMs: key.expiresAtMs === null ? wantedMs : Math.min(wantedMs, key.expiresAtMs),
  };
  const sign = await vault.hasher(clientTokenPurpose(environment.id, signingKey));
  const made = {
    id: claims.id,
    token: createClientToken(environment.kind, claims, sign),
    keyId: key.id,
    environment: environment.name,
    customer: claims.customer,
    feature: claims.feature,
    models: [...claims.models],
    endpoints: [...claims.endpoints],
    limits: claims.limits,
    expiresAt: formatInstant(claims.expiresAtMs),
  };
  return { claims, made };
}
