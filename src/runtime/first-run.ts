import { DEFAULT_UNPRICED_POLICY, ENVIRONMENT_KINDS } from "../core/environments/environment.ts";
import type { IdFactory } from "../core/ids/ids.ts";
import { createAdminToken } from "../core/keys/admin-token.ts";
import { createGatewayKey, hashGatewayKey, previewGatewayKey } from "../core/keys/gateway-key.ts";
import { NO_SETTINGS } from "../core/policy/environment-policy.ts";
import type { Repositories, Store } from "../store/store.ts";
import { ownerTokenRecord } from "./owner-token.ts";

/** What the first start made. The only moment at which these secrets exist in clear. */
export interface FirstRun {
  readonly adminToken: string;
  /** For the development environment. */
  readonly gatewayKey: string;
}

export interface FirstRunDeps {
  readonly store: Store;
  readonly ids: IdFactory;
  readonly nowMs: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
}

const DEFAULT_PROJECT = "default";

/**
 * Makes the default project, the three environments, an admin token and one development key, all at once or not at
 * all; undefined when they are there already. Of two processes that start at the same time one makes them.
 */
export async function ensureFirstRun(deps: FirstRunDeps): Promise<FirstRun | undefined> {
  return deps.store.transaction(async (repositories) => {
    const { rows } = await repositories.environments.list({ limit: 1 });
    return rows.length > 0 ? undefined : makeFirstObjects(deps, repositories);
  });
}

async function makeFirstObjects(deps: FirstRunDeps, into: Repositories): Promise<FirstRun> {
  const { ids, randomBytes } = deps;
  const createdAtMs = deps.nowMs();
  const project = { id: ids.create("prj"), name: DEFAULT_PROJECT, createdAtMs };
  await into.projects.insert(project);
  const adminToken = createAdminToken(randomBytes);
  const about = { id: ids.create("adm"), name: "first admin token", createdAtMs };
  await into.adminTokens.insert(ownerTokenRecord(adminToken, about));
  const gatewayKey = createGatewayKey("development", randomBytes);
  for (const kind of ENVIRONMENT_KINDS) {
    const environment = {
      id: ids.create("env"),
      name: kind,
      kind,
      unpricedPolicy: DEFAULT_UNPRICED_POLICY,
      budgetCeilingPicos: null,
      policy: NO_SETTINGS,
      createdAtMs,
    };
    await into.environments.insert(environment);
    if (kind !== "development") continue;
    await into.gatewayKeys.insert({
      id: ids.create("key"),
      name: "first development key",
      projectId: project.id,
      environmentId: environment.id,
      customerId: null,
      hash: hashGatewayKey(gatewayKey),
      preview: previewGatewayKey(gatewayKey),
      allowedModels: null,
      allowedEndpoints: null,
      allowedIps: null,
      isForBrowsers: false,
      createdAtMs,
      expiresAtMs: null,
      revokedAtMs: null,
    });
  }
  return { adminToken, gatewayKey };
}
