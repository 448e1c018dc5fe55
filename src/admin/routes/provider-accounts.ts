import { createRoute, z } from "@hono/zod-openapi";
import type { AllowedHosts } from "../../core/network/allowed-hosts.ts";
import type { Provider } from "../../providers/provider.ts";
import { ACCOUNT_KINDS, type ProviderAccountRecord } from "../../store/records.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import type { Problem } from "../answers/error-body.ts";
import { jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { parseBaseUrl } from "../fields/base-url.ts";
import { closedObject, closedQuery } from "../fields/closed-object.ts";
import { formatInstant, instantAnswer } from "../fields/instants.ts";
import { idParam, referableNameField } from "../fields/names.ts";
import { listAnswer, listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { quoteInput } from "../fields/quote-input.ts";
import { findAccount } from "../references.ts";
import { uniqueViolationOf } from "../unique-violation.ts";

const kindField = z.enum(ACCOUNT_KINDS).openapi({
  description:
    "Whose account it is. Keys of a `personal` account are refused in environments of kind `production`.",
  example: "organization",
});

/** Sent as a header's value. */
const headerValueField = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]{1,128}$/, "must be 1 to 128 visible ASCII characters");

const accountSchema = z
  .object({
    id: z.string().openapi({ example: "acc_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    name: z.string().openapi({ example: "openai-main" }),
    provider: z.string().openapi({ example: "openai" }),
    kind: kindField,
    baseUrl: z.string().nullable().openapi({
      description: "Null: the provider's own.",
      example: "https://eu.api.openai.com/v1",
    }),
    organizationId: z.string().nullable(),
    projectId: z.string().nullable().openapi({ description: "The project at the provider." }),
    createdAt: instantAnswer("When it was added."),
  })
  .openapi("ProviderAccount");

const accountInput = closedObject({
  name: referableNameField("acc", "Unique.", "openai-main"),
  provider: z.string().trim().min(1).max(64).openapi({
    description: "A provider Keyward knows: `openai`, `openai-compatible`, `simulator`.",
    example: "openai",
  }),
  kind: kindField,
  baseUrl: z.string().nullish().openapi({
    description:
      "With the version path, https. A host in a private network must be allowed by name in the server's setting `allowedPrivateHosts`; plain http is taken for those alone. Required where the provider has none of its own; the built-in simulator needs none.",
    example: "https://eu.api.openai.com/v1",
  }),
  organizationId: headerValueField.nullish().openapi({
    description: "The organization at the provider, sent as its header.",
    example: "org-acme",
  }),
  projectId: headerValueField.nullish().openapi({
    description: "The project at the provider, sent as its header.",
    example: "proj_support",
  }),
}).openapi("ProviderAccountInput");

const listProviderAccounts = createRoute({
  method: "get",
  path: "/provider-accounts",
  operationId: "listProviderAccounts",
  tags: ["provider accounts"],
  summary: "List provider accounts, newest first",
  request: { query: closedQuery(pagingFields) },
  responses: {
    200: jsonAnswer("A page of provider accounts.", listOf("ProviderAccountList", accountSchema)),
    ...errorAnswers(),
  },
});

const createProviderAccount = createRoute({
  method: "post",
  path: "/provider-accounts",
  operationId: "createProviderAccount",
  tags: ["provider accounts"],
  summary: "Add a provider account",
  request: { query: closedQuery({}), body: jsonBody(accountInput) },
  responses: {
    201: jsonAnswer("The provider account.", accountSchema),
    ...errorAnswers("conflict", ...BODY_CODES),
  },
});

const getProviderAccount = createRoute({
  method: "get",
  path: "/provider-accounts/{id}",
  operationId: "getProviderAccount",
  tags: ["provider accounts"],
  summary: "Get a provider account by id or name",
  request: { params: idParam("openai-main"), query: closedQuery({}) },
  responses: {
    200: jsonAnswer("The provider account.", accountSchema),
    ...errorAnswers("not_found"),
  },
});

export function registerProviderAccounts(
  router: AdminRouter,
  deps: Pick<AdminDeps, "store" | "ids" | "clock" | "providers" | "allowedHosts">,
): void {
  const { store, ids, clock, providers, allowedHosts } = deps;
  router.openapi(listProviderAccounts, async (context) => {
    const page = await store.providerAccounts.list(pageRequestOf(context.req.valid("query")));
    return context.json(listAnswer(page, formatAccount), 200);
  });

  router.openapi(createProviderAccount, async (context) => {
    const input = context.req.valid("json");
    const problems: Problem[] = [];
    const provider = providers.find(input.provider);
    if (!provider) problems.push(unknownProvider(input.provider, providers.list()));
    const baseUrl = readBaseUrl(input.baseUrl ?? null, { provider, allowedHosts, problems });
    if (!provider || problems.length > 0) return refuseProblems(context, problems);
    const record: ProviderAccountRecord = {
      id: ids.create("acc"),
      name: input.name,
      provider: provider.name,
      kind: input.kind,
      baseUrl,
      organizationId: input.organizationId ?? null,
      providerProjectId: input.projectId ?? null,
      createdAtMs: clock.nowMs(),
    };
    if (await uniqueViolationOf(store.providerAccounts.insert(record))) {
      const message = "There is already a provider account of this name.";
      return refuse(context, "conflict", message, "name");
    }
    return context.json(formatAccount(record), 201);
  });

  router.openapi(getProviderAccount, async (context) => {
    const record = await findAccount(store, context.req.valid("param").id);
    if (!record) {
      const message = "There is no provider account of this id or name.";
      return refuse(context, "not_found", message, "id");
    }
    return context.json(formatAccount(record), 200);
  });
}

function unknownProvider(name: string, known: readonly Provider[]): Problem {
  const names = known.map((provider) => `\`${provider.name}\``).join(", ");
  return {
    param: "provider",
    message: `There is no provider ${quoteInput(name)}; known are ${names}.`,
  };
}

interface BaseUrlCheck {
  readonly provider: Provider | undefined;
  readonly allowedHosts: AllowedHosts;
  readonly problems: Problem[];
}

function readBaseUrl(
  text: string | null,
  { provider, allowedHosts, problems }: BaseUrlCheck,
): string | null {
  if (text === null) {
    if (provider && provider.defaultBaseUrl === null && !provider.isFree) {
      const message = `\`baseUrl\` is required: the provider \`${provider.name}\` has none of its own.`;
      problems.push({ param: "baseUrl", message });
    }
    return null;
  }
  const parsed = parseBaseUrl(text, allowedHosts);
  if ("baseUrl" in parsed) return parsed.baseUrl;
  problems.push({ param: "baseUrl", message: `\`baseUrl\` ${parsed.refusal}.` });
  return null;
}

function formatAccount(record: ProviderAccountRecord): z.infer<typeof accountSchema> {
  const { id, name, provider, kind, baseUrl, organizationId, providerProjectId } = record;
  const createdAt = formatInstant(record.createdAtMs);
  return {
    id,
    name,
    provider,
    kind,
    baseUrl,
    organizationId,
    projectId: providerProjectId,
    createdAt,
  };
}
