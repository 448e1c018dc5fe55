import { createRoute, z } from "@hono/zod-openapi";
import type { AllowedHosts } from "../../core/network/allowed-hosts.ts";
import { nearestName } from "../../core/text/nearest-name.ts";
import type { AccountField, Provider } from "../../providers/provider.ts";
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
    apiVersion: z.string().nullable().openapi({
      description: "The dated version of the provider's API that is called; null: its current one.",
      example: null,
    }),
    pricedAs: z.string().nullable().openapi({
      description: "Whose prices hold, where it is not told by the provider or the base URL.",
      example: null,
    }),
    createdAt: instantAnswer("When it was added."),
  })
  .openapi("ProviderAccount");

const accountInput = closedObject({
  name: referableNameField("acc", "Unique.", "openai-main"),
  provider: z.string().trim().min(1).max(64).openapi({
    description:
      "A provider Keyward knows (`GET /providers`): `openai`, `azure`, `anthropic`, `groq`, `openai-compatible` …",
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
  apiVersion: z
    .string()
    .trim()
    .regex(
      /^(?:\d{4}-\d{2}-\d{2}(?:-preview)?|preview|latest)$/,
      "must be a version such as `2024-10-21` or `2025-04-01-preview`",
    )
    .nullish()
    .openapi({
      description:
        "For Azure OpenAI: call the dated API in this version, with the model as the deployment. Absent: `/openai/v1`.",
      example: "2024-10-21",
    }),
  pricedAs: z.string().trim().min(1).max(64).nullish().openapi({
    description:
      "The price book's provider whose prices hold, for a proxy or a private address that hides who answers.",
    example: "groq",
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
  deps: Pick<AdminDeps, "store" | "ids" | "clock" | "providers" | "allowedHosts" | "priceBook">,
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
    if (provider) problems.push(...foreignFields(input, provider));
    problems.push(...unknownPrices(input.pricedAs ?? null, deps.priceBook));
    if (!provider || problems.length > 0) return refuseProblems(context, problems);
    const record: ProviderAccountRecord = {
      id: ids.create("acc"),
      name: input.name,
      provider: provider.name,
      kind: input.kind,
      baseUrl,
      organizationId: input.organizationId ?? null,
      providerProjectId: input.projectId ?? null,
      apiVersion: input.apiVersion ?? null,
      pricedAs: input.pricedAs ?? null,
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
    message: `There is no provider ${quoteInput(name)}; known are ${names}. Any other server that speaks OpenAI's API is \`openai-compatible\` with a \`baseUrl\`.`,
  };
}

const PROVIDER_FIELDS: readonly AccountField[] = ["organizationId", "projectId", "apiVersion"];

/** A field that the provider has no use for is a mistake, and would be lost in silence. */
function foreignFields(
  input: Readonly<Partial<Record<AccountField, string | null | undefined>>>,
  provider: Provider,
): Problem[] {
  const own = provider.accountFields;
  return PROVIDER_FIELDS.filter(
    (field) => !own.includes(field) && (input[field] ?? null) !== null,
  ).map((field) => ({
    param: field,
    message: `\`${field}\` means nothing to the provider \`${provider.name}\`; ${own.length === 0 ? "leave it out" : `it takes ${own.map((name) => `\`${name}\``).join(", ")}`}.`,
  }));
}

function unknownPrices(name: string | null, priceBook: AdminDeps["priceBook"]): Problem[] {
  if (name === null) return [];
  const known = [...new Set(priceBook.rows().map((row) => row.provider))];
  if (known.includes(name)) return [];
  const nearest = nearestName(name, known);
  const advice =
    nearest === undefined
      ? `known are ${known.toSorted().join(", ")}`
      : `did you mean \`${nearest}\`?`;
  return [
    {
      param: "pricedAs",
      message: `\`pricedAs\` must be a provider of the price book, not ${quoteInput(name)}; ${advice}`,
    },
  ];
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
  if (text === null && provider?.isFree === true) return null;
  if (text === null && provider?.defaultBaseUrl === null) {
    const message = `\`baseUrl\` is required: the provider \`${provider.name}\` has none of its own. It looks like \`${provider.baseUrlExample}\`.`;
    problems.push({ param: "baseUrl", message });
  }
  const used = text ?? provider?.defaultBaseUrl ?? null;
  if (used === null) return null;
  // The provider's own address, too: a model server's is on this machine, and must be allowed by name.
  const parsed = parseBaseUrl(used, allowedHosts);
  if ("baseUrl" in parsed) {
    return text === null ? null : (provider?.normalizeBaseUrl?.(parsed.baseUrl) ?? parsed.baseUrl);
  }
  problems.push({ param: "baseUrl", message: `\`baseUrl\` ${parsed.refusal}.` });
  return null;
}

function formatAccount(record: ProviderAccountRecord): z.infer<typeof accountSchema> {
  const { providerProjectId, createdAtMs, ...named } = record;
  return { ...named, projectId: providerProjectId, createdAt: formatInstant(createdAtMs) };
}
