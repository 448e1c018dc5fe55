import { z } from "@hono/zod-openapi";
import { type ClientTokenId, type GatewayKeyId, isId } from "../../core/ids/ids.ts";
import { EVENT_STATUSES } from "../../core/usage/usage-event.ts";
import type { EventFilter } from "../../store/store.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { Problem } from "../answers/error-body.ts";
import { instantField } from "../fields/instants.ts";
import { referenceField } from "../fields/names.ts";
import { References } from "../references.ts";

const tagField = z.string().min(1).max(256);

/** What both the summary and the list of events are narrowed by. */
export const usageScopeFields = {
  project: referenceField("A project's name or id.", "default").optional(),
  environment: referenceField("An environment's name or id.", "production").optional(),
  key: z
    .string()
    .transform((text, context) => {
      if (isId("key", text)) return text;
      const message = "must be the id of a gateway key, as `keyward keys list` shows it";
      context.issues.push({ code: "custom", message, input: text });
      return z.NEVER;
    })
    .optional()
    .openapi({ type: "string", description: "A gateway key's id." }),
  customer: tagField.optional().openapi({
    description: "A customer's external id, as calls named it, or its id.",
    example: "acme",
  }),
  feature: tagField.optional().openapi({ example: "voice-agent" }),
  model: tagField.optional().openapi({
    description: "The model that served, or the requested one where none did.",
    example: "gpt-4o-mini",
  }),
};

export const eventFilterFields = {
  from: instantField("Inclusive.").optional(),
  to: instantField("Exclusive.").optional(),
  ...usageScopeFields,
  status: z.enum(EVENT_STATUSES).optional(),
  clientToken: z
    .string()
    .transform((text, context) => {
      if (isId("ctk", text)) return text;
      const message = "must be the id of a client token, as the answer that made it has it";
      context.issues.push({ code: "custom", message, input: text });
      return z.NEVER;
    })
    .optional()
    .openapi({ type: "string", description: "A client token's id." }),
  requestId: tagField.optional().openapi({ description: "`x-keyward-request-id` of the call." }),
};

interface GivenFilter {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly project?: string | undefined;
  readonly environment?: string | undefined;
  readonly key?: GatewayKeyId | undefined;
  readonly customer?: string | undefined;
  readonly feature?: string | undefined;
  readonly model?: string | undefined;
  readonly status?: EventFilter["status"];
  readonly clientToken?: ClientTokenId | undefined;
  readonly requestId?: string | undefined;
}

export type ResolvedFilter =
  | { readonly filter: EventFilter }
  | { readonly problems: readonly Problem[] };

/** Turns names into ids; collects what is not there. */
export async function resolveUsageFilter(
  store: AdminDeps["store"],
  given: GivenFilter,
): Promise<ResolvedFilter> {
  const references = new References(store);
  const [environment, project, customer] = await Promise.all([
    given.environment === undefined
      ? undefined
      : references.environment("environment", given.environment),
    given.project === undefined ? undefined : references.project("project", given.project),
    given.customer === undefined ? undefined : customerNameOf(references, given.customer),
  ]);
  const problems = [...references.problems];
  if (given.from !== undefined && given.to !== undefined && given.from >= given.to) {
    problems.push({ param: "to", message: "`to` must be later than `from`." });
  }
  if (problems.length > 0) return { problems };
  return {
    filter: {
      fromMs: given.from,
      toMs: given.to,
      projectId: project?.id,
      environmentId: environment?.id,
      gatewayKeyId: given.key,
      clientTokenId: given.clientToken,
      customer,
      feature: given.feature,
      model: given.model,
      status: given.status,
      requestId: given.requestId,
    },
  };
}

/** Usage is attributed by external id, also to customers that were never created: only an id must be known. */
async function customerNameOf(references: References, text: string): Promise<string | undefined> {
  if (!isId("cus", text)) return text;
  return (await references.customer("customer", text))?.externalId;
}
