import type { z } from "@hono/zod-openapi";
import { isId } from "../../core/ids/ids.ts";
import type { GatewayKeyRecord } from "../../store/records.ts";
import type { Repositories } from "../../store/store.ts";
import type { AdminDeps } from "../admin-deps.ts";
import { formatInstant, formatOptionalInstant } from "../fields/instants.ts";
import { idParam } from "../fields/names.ts";
import { NameLookup } from "../name-lookup.ts";
import type { keySchema } from "./key-schemas.ts";

type FormatDeps = Pick<AdminDeps, "store" | "clock">;
export type KeyAnswer = z.input<typeof keySchema>;

export const KEY_ID_PARAM = idParam("key_01JZ6Y4V2S8W3N5R7T9X0B1C2D");
export const NOT_FOUND = "There is no gateway key of this id.";

export async function findKey({ store }: Pick<AdminDeps, "store">, id: string) {
  return isId("key", id) ? store.gatewayKeys.findById(id) : undefined;
}

/** As it is now. */
export async function reload(
  { gatewayKeys }: Pick<Repositories, "gatewayKeys">,
  found: GatewayKeyRecord,
): Promise<GatewayKeyRecord> {
  return (await gatewayKeys.findById(found.id)) ?? found;
}

export async function formatKey(deps: FormatDeps, record: GatewayKeyRecord): Promise<KeyAnswer> {
  const [answer] = await formatKeys(deps, [record]);
  if (answer === undefined) throw new Error("one key, one answer");
  return answer;
}

/** The keys of one answer; never their hash. */
export async function formatKeys(
  { store, clock }: FormatDeps,
  records: readonly GatewayKeyRecord[],
): Promise<KeyAnswer[]> {
  const nowMs = clock.nowMs();
  const names = new NameLookup(store);
  const ids = records.map(({ id }) => id);
  const [secrets, lastUses] = await Promise.all([
    store.gatewayKeys.supersededOf(ids, nowMs),
    store.gatewayKeys.lastUsesOf(ids),
  ]);
  return await Promise.all(
    records.map(async (record) => {
      const { id, projectId, environmentId, customerId } = record;
      const [project, environment, customer] = await Promise.all([
        names.project(projectId),
        names.environment(environmentId),
        customerId === null ? null : names.customer(customerId),
      ]);
      const isRevoked = record.revokedAtMs !== null;
      return {
        ...ownFields(record, nowMs),
        project,
        environment,
        customer,
        lastUsedAt: formatOptionalInstant(lastUses.get(id) ?? null),
        oldSecrets: secrets
          .filter(({ keyId }) => keyId === id && !isRevoked)
          .map(({ preview, supersededAtMs, validUntilMs }) => ({
            preview,
            rotatedAt: formatInstant(supersededAtMs),
            validUntil: formatInstant(validUntilMs),
          })),
      };
    }),
  );
}

function ownFields(record: GatewayKeyRecord, nowMs: number) {
  const { id, name, preview, projectId, environmentId, customerId, isForBrowsers } = record;
  return {
    id,
    name,
    preview,
    projectId,
    environmentId,
    customerId,
    allowedModels: copyOf(record.allowedModels),
    allowedEndpoints: copyOf(record.allowedEndpoints),
    allowedIps: copyOf(record.allowedIps),
    isForBrowsers,
    status: statusOf(record, nowMs),
    createdAt: formatInstant(record.createdAtMs),
    expiresAt: formatOptionalInstant(record.expiresAtMs),
    revokedAt: formatOptionalInstant(record.revokedAtMs),
  };
}

function copyOf(names: readonly string[] | null): string[] | null {
  return names === null ? null : [...names];
}

export function statusOf(
  record: Pick<GatewayKeyRecord, "expiresAtMs" | "revokedAtMs">,
  nowMs: number,
): "active" | "expired" | "revoked" {
  if (record.revokedAtMs !== null) return "revoked";
  return record.expiresAtMs !== null && record.expiresAtMs <= nowMs ? "expired" : "active";
}
