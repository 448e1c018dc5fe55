import type { z } from "@hono/zod-openapi";
import {
  ALERT_KIND_FACTS,
  type AlertCondition,
  type AlertKind,
  type AlertScope,
} from "../core/alerts/alert-rule.ts";
import { isId, type AlertChannelId } from "../core/ids/ids.ts";
import type { Scope } from "../core/scopes/scope.ts";
import type { Store } from "../store/store.ts";
import type { Problem } from "./answers/error-body.ts";
import { quoteInput } from "./fields/quote-input.ts";
import { References } from "./references.ts";
import type { settingsInput } from "./routes/alert-rule-schemas.ts";

type Settings = z.output<typeof settingsInput>;

/** The settings of a kind: what was given, and for the rest what was there before. A setting of another kind is refused. */
export function completeCondition(
  kind: AlertKind,
  given: Settings,
  before: object = ALERT_KIND_FACTS[kind].defaults,
): { readonly condition: AlertCondition } | { readonly problems: readonly Problem[] } {
  const known = Object.keys(ALERT_KIND_FACTS[kind].defaults);
  const names = known.map((name) => `\`${name}\``).join(", ") || "none";
  const problems = Object.keys(given)
    .filter((name) => !known.includes(name))
    .map((name) => ({
      param: `settings.${name}`,
      message: `A rule of kind \`${kind}\` has no setting \`${name}\`; its settings are ${names}.`,
    }));
  if (problems.length > 0) return { problems };
  const { percentages, daysBefore } = given;
  const settings = {
    ...before,
    ...given,
    ...(percentages && { percentages: inOrder(percentages) }),
    ...(daysBefore && { daysBefore: inOrder(daysBefore) }),
  };
  return { condition: { kind, settings } as AlertCondition };
}

function inOrder(numbers: readonly number[]): readonly number[] {
  return [...new Set(numbers)].toSorted((a, b) => a - b);
}

/** A scope as a rule keeps it: by ids, customers by their external ids. */
export async function resolveScope(
  store: Store | Parameters<typeof createReferences>[0],
  kind: AlertKind,
  given: { readonly kind: Scope["kind"]; readonly id?: string | undefined },
): Promise<{ readonly scope: AlertScope } | { readonly problems: readonly Problem[] }> {
  const { scopeKinds } = ALERT_KIND_FACTS[kind];
  if (!scopeKinds.includes(given.kind)) {
    const names = scopeKinds.map((name) => `\`${name}\``).join(", ");
    const message = `A rule of kind \`${kind}\` is for a scope of kind ${names}.`;
    return { problems: [{ param: "scope.kind", message }] };
  }
  const { id } = given;
  if (given.kind === "organization" && id !== undefined) {
    const message = "The organization has no id: leave `id` out.";
    return { problems: [{ param: "scope.id", message }] };
  }
  if (id === undefined) return { scope: { kind: given.kind, id: null } };
  const references = createReferences(store);
  const found = await findScope(references, given.kind, id);
  if (references.problems.length > 0) return { problems: references.problems };
  return { scope: { kind: given.kind, id: found ?? id } };
}

function createReferences(store: ConstructorParameters<typeof References>[0]): References {
  return new References(store);
}

/** Customers, features and keys are named by what calls carry: there need be none yet. */
async function findScope(
  references: References,
  kind: Scope["kind"],
  id: string,
): Promise<string | undefined> {
  if (kind === "project") return (await references.project("scope.id", id))?.id;
  if (kind === "environment") return (await references.environment("scope.id", id))?.id;
  if (kind === "providerAccount") return (await references.account("scope.id", id))?.id;
  return id;
}

/** The channels that were named, by name or by id. */
export async function resolveChannels(
  { alerts }: Pick<Store, "alerts">,
  names: readonly string[],
): Promise<
  { readonly ids: readonly AlertChannelId[] } | { readonly problems: readonly Problem[] }
> {
  const ids: AlertChannelId[] = [];
  const problems: Problem[] = [];
  for (const [index, name] of names.entries()) {
    const found = isId("ach", name)
      ? await alerts.channels.findById(name)
      : await alerts.channels.findByName(name);
    if (found !== undefined) ids.push(found.id);
    else {
      const message = `There is no alert channel ${quoteInput(name)}. See \`keyward alert-channels list\`.`;
      problems.push({ param: `channels.${index}`, message });
    }
  }
  return problems.length > 0 ? { problems } : { ids };
}
