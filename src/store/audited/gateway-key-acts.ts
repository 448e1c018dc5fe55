/** What is written about changes of gateway keys and of the secrets that stand for them. */
import type { GatewayKeyId } from "../../core/ids/ids.ts";
import type { GatewayKeyRepository } from "../gateway-key-repository.ts";
import type { GatewayKeyRecord } from "../records.ts";
import { auditedText } from "./audited-fields.ts";
import { about, type ActsOf, created, update, type Within, writeChange } from "./within.ts";

type Acts = ActsOf<GatewayKeyRepository, "supersededOf">;

export function gatewayKeyActs(within: Within): Acts {
  return {
    insert: (record) =>
      within(async ({ gatewayKeys }, write) => {
        await gatewayKeys.insert(record);
        await write(created("gatewayKey", record));
      }),
    update: (id, change) =>
      within(({ gatewayKeys }, write) =>
        update(
          { kind: "gatewayKey", write },
          () => gatewayKeys.findById(id),
          () => gatewayKeys.update(id, change),
        ),
      ),
    ...rotationActs(within),
    revokeMany: (ids, revokedAtMs) =>
      within(async ({ gatewayKeys }, write) => {
        const revoked = await unrevokedOf(gatewayKeys, ids);
        const count = await gatewayKeys.revokeMany(ids, revokedAtMs);
        for (const before of revoked) {
          const after: GatewayKeyRecord = { ...before, revokedAtMs };
          await writeChange({ kind: "gatewayKey", verb: "revoked", write }, { before, after });
        }
        return count;
      }),
    revoke: (id, revokedAtMs) =>
      within(({ gatewayKeys }, write) =>
        update(
          { kind: "gatewayKey", verb: "revoked", write },
          () => gatewayKeys.findById(id),
          () => gatewayKeys.revoke(id, revokedAtMs),
        ),
      ),
  };
}

async function unrevokedOf(
  gatewayKeys: GatewayKeyRepository,
  ids: readonly GatewayKeyId[],
): Promise<readonly GatewayKeyRecord[]> {
  const found: GatewayKeyRecord[] = [];
  for (const id of ids) {
    const record = await gatewayKeys.findById(id);
    if (record?.revokedAtMs === null) found.push(record);
  }
  return found;
}

function rotationActs(
  within: Within,
): Pick<Acts, "replaceSecret" | "withdrawSecret" | "endSuperseded"> {
  return {
    replaceSecret: (id, change) =>
      within(async ({ gatewayKeys }, write) => {
        const before = await gatewayKeys.findById(id);
        const isReplaced = await gatewayKeys.replaceSecret(id, change);
        if (!isReplaced || before === undefined) return isReplaced;
        const { preview, validUntilMs } = change;
        await write({
          ...about("gatewayKey", "rotated", before),
          before: auditedText({ preview: before.preview }),
          after: auditedText({ preview, oldValidUntilMs: validUntilMs }),
        });
        return true;
      }),
    withdrawSecret: (id, nowMs) =>
      within(({ gatewayKeys }, write) =>
        update(
          { kind: "gatewayKey", verb: "rotationWithdrawn", write },
          () => gatewayKeys.findById(id),
          () => gatewayKeys.withdrawSecret(id, nowMs),
        ),
      ),
    endSuperseded: (id, nowMs, but) =>
      within(async ({ gatewayKeys }, write) => {
        const record = await gatewayKeys.findById(id);
        const count = await gatewayKeys.endSuperseded(id, nowMs, but);
        if (count === 0 || record === undefined) return count;
        await write({
          ...about("gatewayKey", "oldSecretsEnded", record),
          before: auditedText({ oldSecrets: count }),
          after: auditedText({ oldSecrets: 0 }),
        });
        return count;
      }),
  };
}
