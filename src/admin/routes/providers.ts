import { createRoute, z } from "@hono/zod-openapi";
import type { Provider } from "../../providers/provider.ts";
import { DIALECTS } from "../../wire/dialect.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer } from "../answers/json-content.ts";
import { errorAnswers } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { listOf } from "../fields/paging.ts";

const providerSchema = z
  .object({
    name: z.string().openapi({
      description: "What an account's `provider` is set to.",
      example: "groq",
    }),
    title: z.string().openapi({ example: "Groq" }),
    dialects: z.array(z.enum(DIALECTS)).openapi({
      description: "The APIs it speaks. A call goes to a provider that speaks the client's.",
    }),
    defaultBaseUrl: z.string().nullable().openapi({
      description: "Null: an account must name its own, or the provider is built in.",
      example: "https://api.groq.com/openai/v1",
    }),
    baseUrlExample: z.string().openapi({ example: "https://api.groq.com/openai/v1" }),
    accountFields: z.array(z.string()).openapi({
      description: "Fields of an account that mean something to it; the others are refused.",
      example: [],
    }),
    pricedAs: z.string().nullable().openapi({
      description:
        "Its name in the price book; null: by the base URL. An account's own `pricedAs` comes before it.",
      example: "groq",
    }),
    isFree: z.boolean().openapi({ description: "Whether its calls cost nothing by definition." }),
  })
  .openapi("Provider");

const listProviders = createRoute({
  method: "get",
  path: "/providers",
  operationId: "listProviders",
  tags: ["provider accounts"],
  summary: "List the providers that Keyward knows",
  request: { query: closedQuery({}) },
  responses: {
    200: jsonAnswer("All of them, on one page.", listOf("ProviderList", providerSchema)),
    ...errorAnswers(),
  },
});

export function registerProviders(
  router: AdminRouter,
  { providers }: Pick<AdminDeps, "providers">,
): void {
  router.openapi(listProviders, (context) =>
    context.json({ data: providers.list().map(formatProvider), nextCursor: null }, 200),
  );
}

function formatProvider(provider: Provider): z.infer<typeof providerSchema> {
  const { name, title, dialects, defaultBaseUrl, baseUrlExample, accountFields, isFree } = provider;
  return {
    name,
    title,
    dialects: [...dialects],
    // The built-in one's address is this process's business.
    defaultBaseUrl: isFree ? null : defaultBaseUrl,
    baseUrlExample,
    accountFields: [...accountFields],
    pricedAs: provider.pricedAs ?? (defaultBaseUrl === null && !isFree ? null : name),
    isFree,
  };
}
