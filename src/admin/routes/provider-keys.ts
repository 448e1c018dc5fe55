import { createRoute, z } from "@hono/zod-openapi";
import type { ProviderKeyRecord } from "../../store/records.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { emptyBody, jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { closedObject, closedQuery } from "../fields/closed-object.ts";
import { formatInstant, formatOptionalInstant, instantAnswer } from "../fields/instants.ts";
import { idParam, nameField, referenceField } from "../fields/names.ts";
import { listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { providerSecretField } from "../fields/provider-secret.ts";
import { findProviderKey, NO_PROVIDER_KEY } from "../find-provider-key.ts";
import { NameLookup } from "../name-lookup.ts";
import { addProviderKey } from "../provider-key-intake.ts";
import { References } from "../references.ts";
import { describeKeyLives, type KeyLifeAnswer } from "./key-life-answer.ts";
import { ownershipSchema } from "./ownership-answer.ts";
import { formatHealth, providerKeyHealthSchema } from "./provider-key-health.ts";

const environmentReference = referenceField("An environment's name or id.", "production");
const accountReference = referenceField("A provider account's id or name.", "openai-main");

const WEIGHT_DESCRIPTION =
  "Its share of the environment's calls beside the other keys that may take them; 0: only where no other is left.";
const MAX_WEIGHT = 1000;
const DEFAULT_WEIGHT = 1;
const MAX_ROTATE_DAYS = 3650;
const weightField = z
  .int()
  .min(0)
  .max(MAX_WEIGHT)
  .openapi({ description: WEIGHT_DESCRIPTION, example: 1 });

const providerKeySchema = z
  .object({
    id: z.string().openapi({ example: "pky_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    name: z.string().openapi({ example: "main" }),
    accountId: z.string(),
    account: z.string().nullable().openapi({ description: "The account's name." }),
    environmentId: z.string(),
    environment: z.string().nullable().openapi({ description: "The environment's name." }),
    version: z.number().openapi({ type: "integer", description: "Counts replaced secrets up." }),
    preview: z.string().openapi({
      description: "Type prefix and last four characters of the secret.",
      example: "sk-proj-…9fQa",
    }),
    fingerprint: z.string().openapi({
      description: "Equal for equal secrets; tells nothing of them.",
    }),
    weight: z.number().openapi({ type: "integer", description: WEIGHT_DESCRIPTION, example: 1 }),
    status: z.enum(["active", "revoked"]),
    health: providerKeyHealthSchema.nullable().openapi({
      description:
        "As this server's process sees it. Null where no server runs, and for a revoked key.",
    }),
    ownership: ownershipSchema,
    ownershipConflict: z.boolean().openapi({
      description:
        "What was found of the secret's owner contradicts the account's `kind`: a person's secret in an organization's account, or the other way round.",
    }),
    secretSince: instantAnswer("Since when it has its present secret."),
    rotateEveryDays: z.number().nullable().openapi({
      type: "integer",
      description: "Null: it is not rotated by itself.",
    }),
    rotationDueAt: instantAnswer("When it is to be rotated by itself.").nullable(),
    rotationId: z.string().nullable().openapi({
      description: "Of the rotation that is going on.",
    }),
    createdAt: instantAnswer("When it was added."),
    revokedAt: instantAnswer("When it was revoked; null while it is active.").nullable(),
  })
  .openapi("ProviderKey");

const addedProviderKeySchema = providerKeySchema
  .extend({
    warnings: z.array(z.string()).openapi({
      description: "Rules of the environment's policy that it breaks and that only warn.",
    }),
  })
  .openapi("AddedProviderKey");

const listProviderKeys = createRoute({
  method: "get",
  path: "/provider-keys",
  operationId: "listProviderKeys",
  tags: ["provider keys"],
  summary: "List provider keys, newest first",
  request: {
    query: closedQuery({
      ...pagingFields,
      environment: environmentReference.optional(),
      accountId: accountReference.optional(),
    }),
  },
  responses: {
    200: jsonAnswer("A page of provider keys.", listOf("ProviderKeyList", providerKeySchema)),
    ...errorAnswers(),
  },
});

const createProviderKey = createRoute({
  method: "post",
  path: "/provider-keys",
  operationId: "createProviderKey",
  tags: ["provider keys"],
  summary: "Put a provider's secret into the vault, for one environment",
  description:
    "Refused when the same secret is active in this environment already, and when it breaks a rule that the environment's policy enforces: by default, when it is active in another environment, and when the account is `personal` and the environment of kind `production`.",
  request: {
    query: closedQuery({}),
    body: jsonBody(
      closedObject({
        accountId: accountReference,
        environment: environmentReference,
        name: nameField("For people.", "main"),
        secret: providerSecretField,
        weight: weightField.optional().openapi({ description: `${WEIGHT_DESCRIPTION} Absent: 1.` }),
      }).openapi("ProviderKeyInput"),
    ),
  },
  responses: {
    201: jsonAnswer("The provider key, without its secret.", addedProviderKeySchema),
    ...errorAnswers("conflict", ...BODY_CODES),
  },
});

const getProviderKey = createRoute({
  method: "get",
  path: "/provider-keys/{id}",
  operationId: "getProviderKey",
  tags: ["provider keys"],
  summary: "Get a provider key",
  request: { params: idParam("pky_01JZ6Y4V2S8W3N5R7T9X0B1C2D"), query: closedQuery({}) },
  responses: {
    200: jsonAnswer("The provider key, without its secret.", providerKeySchema),
    ...errorAnswers("not_found"),
  },
});

const updateProviderKey = createRoute({
  method: "patch",
  path: "/provider-keys/{id}",
  operationId: "updateProviderKey",
  tags: ["provider keys"],
  summary: "Change a provider key's weight, or how often it is rotated",
  request: {
    params: idParam("pky_01JZ6Y4V2S8W3N5R7T9X0B1C2D"),
    query: closedQuery({}),
    body: jsonBody(
      closedObject({
        weight: weightField.optional(),
        rotateEveryDays: z.int().min(1).max(MAX_ROTATE_DAYS).nullish().openapi({
          description:
            "By itself where the account has an admin key; else a person is told when it is due. Null: not any more.",
          example: 90,
        }),
      }).openapi("ProviderKeyChange"),
    ),
  },
  responses: {
    200: jsonAnswer("The provider key, changed.", providerKeySchema),
    ...errorAnswers("not_found", ...BODY_CODES),
  },
});

const revokeProviderKey = createRoute({
  method: "post",
  path: "/provider-keys/{id}/revoke",
  operationId: "revokeProviderKey",
  tags: ["provider keys"],
  summary: "Stop using a provider key",
  description:
    "Keyward stops calling with it; at the provider it stays valid until it is revoked there. Revoking twice changes nothing and is no error.",
  request: {
    params: idParam("pky_01JZ6Y4V2S8W3N5R7T9X0B1C2D"),
    query: closedQuery({}),
    body: emptyBody,
  },
  responses: {
    200: jsonAnswer("The provider key, revoked.", providerKeySchema),
    ...errorAnswers("not_found", ...BODY_CODES),
  },
});

export function registerProviderKeys(
  router: AdminRouter,
  deps: Pick<AdminDeps, "store" | "vault" | "providers" | "ids" | "clock" | "providerKeyHealth">,
): void {
  const { store } = deps;
  const format = providerKeyFormatter(deps);
  const formatOne = async (record: ProviderKeyRecord) => {
    const [answer] = await format([record]);
    if (answer === undefined) throw new Error("one key is one answer");
    return answer;
  };

  router.openapi(listProviderKeys, async (context) => {
    const query = context.req.valid("query");
    const references = new References(store);
    const [environment, account] = await Promise.all([
      query.environment && references.environment("environment", query.environment),
      query.accountId && references.account("accountId", query.accountId),
    ]);
    if (references.problems.length > 0) return refuseProblems(context, references.problems);
    const page = await store.providerKeys.list(pageRequestOf(query), {
      environmentId: environment ? environment.id : undefined,
      accountId: account ? account.id : undefined,
    });
    return context.json({ data: [...(await format(page.rows))], nextCursor: page.nextCursor }, 200);
  });

  router.openapi(createProviderKey, async (context) => {
    const input = context.req.valid("json");
    const references = new References(store);
    const [account, environment] = await Promise.all([
      references.account("accountId", input.accountId),
      references.environment("environment", input.environment),
    ]);
    if (!account || !environment) return refuseProblems(context, references.problems);
    const { name, secret, weight = DEFAULT_WEIGHT } = input;
    const added = await addProviderKey(deps, { account, environment, name, secret, weight });
    if ("conflict" in added) return refuse(context, "conflict", added.conflict, added.param);
    const { record, warnings } = added;
    const answer = await formatOne(record);
    return context.json({ ...answer, warnings: [...warnings] }, 201);
  });

  router.openapi(getProviderKey, async (context) => {
    const record = await findProviderKey(deps, context.req.valid("param").id);
    if (!record) return refuse(context, "not_found", NO_PROVIDER_KEY, "id");
    return context.json(await formatOne(record), 200);
  });

  router.openapi(updateProviderKey, async (context) => {
    const found = await findProviderKey(deps, context.req.valid("param").id);
    if (!found) return refuse(context, "not_found", NO_PROVIDER_KEY, "id");
    const { weight = found.weight, rotateEveryDays } = context.req.valid("json");
    if (weight !== found.weight) await store.providerKeys.setWeight(found.id, weight);
    if (rotateEveryDays !== undefined) {
      await store.rotation.keyFacts.setSchedule(found.id, rotateEveryDays);
    }
    return context.json(await formatOne({ ...found, weight }), 200);
  });

  router.openapi(revokeProviderKey, async (context) => {
    const found = await findProviderKey(deps, context.req.valid("param").id);
    if (!found) return refuse(context, "not_found", NO_PROVIDER_KEY, "id");
    await store.providerKeys.revoke(found.id, deps.clock.nowMs());
    const record = (await store.providerKeys.findById(found.id)) ?? found;
    return context.json(await formatOne(record), 200);
  });
}

function providerKeyFormatter({
  store,
  clock,
  providerKeyHealth,
}: Pick<AdminDeps, "store" | "clock" | "providerKeyHealth">) {
  return async (records: readonly ProviderKeyRecord[]) => {
    const names = new NameLookup(store);
    const lifeOf = await describeKeyLives(store, records);
    return await Promise.all(
      records.map(async (record) => ({
        ...(await formatProviderKey(record, names, (one) => {
          if (providerKeyHealth === undefined || one.revokedAtMs !== null) return null;
          return formatHealth(providerKeyHealth(one), clock.nowMs());
        })),
        ...lifeOf(record),
      })),
    );
  };
}

async function formatProviderKey(
  record: ProviderKeyRecord,
  names: NameLookup,
  healthOf: (record: ProviderKeyRecord) => z.infer<typeof providerKeyHealthSchema> | null,
): Promise<Omit<z.infer<typeof providerKeySchema>, keyof KeyLifeAnswer>> {
  const { id, name, accountId, environmentId, version, preview, fingerprint, weight } = record;
  const [account, environment] = await Promise.all([
    names.account(accountId),
    names.environment(environmentId),
  ]);
  return {
    id,
    name,
    accountId,
    account,
    environmentId,
    environment,
    version,
    preview,
    fingerprint,
    weight,
    status: record.revokedAtMs === null ? "active" : "revoked",
    health: healthOf(record),
    createdAt: formatInstant(record.createdAtMs),
    revokedAt: formatOptionalInstant(record.revokedAtMs),
  };
}
