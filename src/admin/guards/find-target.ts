import type { HonoRequest } from "hono";
import { type EnvironmentId, isId } from "../../core/ids/ids.ts";
import type { EnvironmentRecord } from "../../store/records.ts";
import type { Store } from "../../store/store.ts";
import type { EnvironmentPlace, PermissionRule } from "../access-rules.ts";
import { findEnvironment, findGatewayKey } from "../references.ts";

type Stored = Pick<
  Store,
  | "environments"
  | "providerKeys"
  | "routingRules"
  | "gatewayKeys"
  | "limits"
  | "budgets"
  | "rotation"
>;

export type FoundTarget = "shared" | "organization" | OfEnvironments;
type OfEnvironments = "all" | EnvironmentRecord;
/** It names what is not there. */
type Missing = "missing";

interface Asked {
  readonly request: HonoRequest;
  readonly pathId: string;
}

/**
 * What a request is about, as its rule says where to look. Looks where the handler looks, before anything was checked:
 * what cannot be told (a parameter that comes twice, a field that is no text) counts as every environment.
 */
export async function findTarget(
  store: Stored,
  about: PermissionRule["about"],
  asked: Asked,
): Promise<FoundTarget | Missing> {
  if (about === "shared" || about === "organization") return about;
  return FINDERS[about](store, asked);
}

type Finder = (store: Stored, asked: Asked) => Promise<OfEnvironments | Missing>;

const FINDERS: Readonly<Record<EnvironmentPlace, Finder>> = {
  "query.environment": (store, { request }) => named(store, queryText(request, "environment")),
  "body.environment": async (store, { request }) =>
    named(store, textOf(await bodyOf(request), "environment")),
  "body.gatewayKey": async (store, { request }) => {
    const id = textOf(await bodyOf(request), "key");
    return id === undefined ? "all" : ofGatewayKey(store, id);
  },
  "query.scope": (store, { request }) =>
    scoped(store, queryText(request, "scopeKind"), queryText(request, "scopeId")),
  "body.scope": async (store, { request }) => {
    const scope = fieldOf(await bodyOf(request), "scope");
    return scoped(store, textOf(scope, "kind"), textOf(scope, "id"));
  },
  "path.environment": (store, { pathId }) => named(store, pathId),
  "path.providerKey": (store, { pathId: id }) => {
    return ofRecord(store, isId("pky", id) ? store.providerKeys.findById(id) : undefined);
  },
  "path.rotation": (store, { pathId: id }) => {
    return ofRecord(store, isId("rot", id) ? store.rotation.rotations.findById(id) : undefined);
  },
  "path.routingRule": (store, { pathId: id }) => {
    return ofRecord(store, isId("rul", id) ? store.routingRules.findById(id) : undefined);
  },
  "path.gatewayKey": (store, { pathId }) => ofGatewayKey(store, pathId),
  "path.limit": async (store, { pathId: id }) => {
    const limit = isId("lim", id) ? await store.limits.findById(id) : undefined;
    return limit ? scoped(store, limit.scope.kind, limit.scope.id ?? undefined) : "missing";
  },
  "path.budget": async (store, { pathId: id }) => {
    const budget = isId("bud", id) ? await store.budgets.findById(id) : undefined;
    return budget ? scoped(store, budget.scope.kind, budget.scope.id ?? undefined) : "missing";
  },
};

async function named(
  { environments }: Stored,
  text: string | undefined,
): Promise<OfEnvironments | Missing> {
  if (text === undefined) return "all";
  return (await findEnvironment({ environments }, text)) ?? "missing";
}

/** The scopes of one environment; every other may count calls of any. */
async function scoped(
  store: Stored,
  kind: string | undefined,
  id: string | undefined,
): Promise<OfEnvironments | Missing> {
  if (id === undefined) return "all";
  if (kind === "environment") return named(store, id);
  return kind === "key" ? ofRecord(store, findGatewayKey(store, id)) : "all";
}

function ofGatewayKey(store: Stored, id: string): Promise<OfEnvironments | Missing> {
  return ofRecord(store, isId("key", id) ? store.gatewayKeys.findById(id) : undefined);
}

async function ofRecord(
  { environments }: Stored,
  found: Promise<{ readonly environmentId: EnvironmentId } | undefined> | undefined,
): Promise<OfEnvironments | Missing> {
  const record = await found;
  if (record === undefined) return "missing";
  // An environment is never removed; if one were, its keys would be anybody's to guess.
  return (await environments.findById(record.environmentId)) ?? "all";
}

function queryText(request: HonoRequest, name: string): string | undefined {
  const values = request.queries(name) ?? [];
  return values.length === 1 ? values[0]?.trim() : undefined;
}

/** Read before by the guard of bodies, which lets objects through only. */
async function bodyOf(request: HonoRequest): Promise<unknown> {
  return await request.json<unknown>();
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

function textOf(value: unknown, name: string): string | undefined {
  const field = fieldOf(value, name);
  return typeof field === "string" ? field.trim() : undefined;
}
