import { isId } from "../core/ids/ids.ts";
import type { Scope, ScopeKind } from "../core/scopes/scope.ts";
import type { Store } from "../store/store.ts";
import type { Problem } from "./answers/error-body.ts";
import { quoteInput } from "./fields/quote-input.ts";
import type { NameLookup } from "./name-lookup.ts";
import { findGatewayKey, References } from "./references.ts";

type ScopedStore = Pick<
  Store,
  "projects" | "environments" | "providerAccounts" | "customers" | "gatewayKeys"
>;

/** More is no feature that a call can name. */
const MAX_FEATURE_CHARACTERS = 128;

/** The scope that a request means, by ids as calls have them; else what is wrong with it. */
export async function findScope(
  store: ScopedStore,
  param: string,
  input: { readonly kind: ScopeKind; readonly id?: string | null | undefined },
): Promise<Scope | { readonly problems: readonly Problem[] }> {
  const { kind } = input;
  const text = input.id ?? null;
  if (text === null) return { kind, id: null };
  const references = new References(store);
  const id = await FINDERS[kind](store, references, { param: `${param}.id`, text });
  if (typeof id === "string") return { kind, id };
  return { problems: id === undefined ? references.problems : [id] };
}

/** What the parameters of a list ask for, by ids as calls have them. */
export async function findScopeFilter(
  store: ScopedStore,
  query: { readonly scopeKind?: ScopeKind | undefined; readonly scopeId?: string | undefined },
) {
  const { scopeKind, scopeId } = query;
  if (scopeId === undefined) return { scopeKind };
  if (scopeKind === undefined) {
    const message = "An id alone does not say what it is of: name the `scopeKind` as well.";
    return { problems: [{ param: "scopeKind", message }] };
  }
  const scope = await findScope(store, "scopeId", { kind: scopeKind, id: scopeId });
  if ("problems" in scope) {
    return { problems: scope.problems.map((problem) => ({ ...problem, param: "scopeId" })) };
  }
  return { scopeKind, scopeId: scope.id ?? undefined };
}

interface Asked {
  readonly param: string;
  readonly text: string;
}

type Finder = (
  store: ScopedStore,
  references: References,
  asked: Asked,
) => Promise<string | Problem | undefined>;

/** Undefined where the references know what is wrong. */
const FINDERS: Readonly<Record<ScopeKind, Finder>> = {
  organization: async (_store, _references, { param }) => ({
    param,
    message: "All calls are the organization's: it takes no `id`.",
  }),
  project: async (_store, references, { param, text }) =>
    (await references.project(param, text))?.id,
  environment: async (_store, references, { param, text }) =>
    (await references.environment(param, text))?.id,
  key: async (store, _references, { param, text }) => {
    const found = await findGatewayKey(store, text);
    const message = `There is no gateway key ${quoteInput(text)}, or there are several of that name. See \`keyward keys list\` for its id.`;
    return found?.id ?? { param, message };
  },
  customer: async (_store, references, { param, text }) =>
    (await references.customer(param, text))?.externalId,
  feature: async (_store, _references, { param, text }) =>
    text.length <= MAX_FEATURE_CHARACTERS
      ? text
      : { param, message: `A feature's name has at most ${MAX_FEATURE_CHARACTERS} characters.` },
  providerAccount: async (_store, references, { param, text }) =>
    (await references.account(param, text))?.id,
};

/** What people call the one that a scope, or a row of its kind, is about; null where the id says it, or it is gone. */
export async function nameOfSubject(
  names: NameLookup,
  kind: ScopeKind,
  id: string,
): Promise<string | null> {
  if (kind === "project" && isId("prj", id)) return names.project(id);
  if (kind === "environment" && isId("env", id)) return names.environment(id);
  if (kind === "key" && isId("key", id)) return names.gatewayKey(id);
  if (kind === "providerAccount" && isId("acc", id)) return names.account(id);
  return null;
}
