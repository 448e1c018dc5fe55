import { type GatewayKeyId, isId, type RotationId } from "../core/ids/ids.ts";
import { MAX_CLIENT_TOKEN_SECONDS } from "../core/keys/client-token.ts";
import type { LeakedKind } from "../core/leaks/leak.ts";
import { isOldEnded } from "../core/rotation/old-secret.ts";
import type { LeakRecord } from "../store/exposure-repositories.ts";
import type { Repositories } from "../store/store.ts";

/**
 * Whether a secret that was reported can be used now, worked out each time from what its key has become since.
 * `unknown`: nothing here uses it any more, and who it is good with (its provider, the settings) may still take it.
 */
export const LEAK_STANDINGS = ["valid", "unknown", "ended"] as const;

export interface LeakStanding {
  readonly standing: (typeof LEAK_STANDINGS)[number];
  /** With `ended`: since when; null where that was not kept. */
  readonly endedAtMs: number | null;
  /** Its key has another secret by now: what is left to do concerns this one alone. */
  readonly isOldSecret: boolean;
  /** Of an old secret of a provider key: the rotation that replaced it, null where that is not known. */
  readonly replacedBy: { readonly id: RotationId; readonly hasEnded: boolean } | null;
}

type ReadStore = Pick<Repositories, "gatewayKeys" | "providerKeys" | "adminTokens" | "rotation">;
type FindStanding = (store: ReadStore, leak: LeakRecord, nowMs: number) => Promise<LeakStanding>;

const OWN_SECRET = { endedAtMs: null, isOldSecret: false, replacedBy: null } as const;
const VALID: LeakStanding = { standing: "valid", ...OWN_SECRET };
const UNKNOWN: LeakStanding = { standing: "unknown", ...OWN_SECRET };

export function findLeakStanding(
  store: ReadStore,
  leak: LeakRecord,
  nowMs: number,
): Promise<LeakStanding> {
  return BY_KIND[leak.kind](store, leak, nowMs);
}

const BY_KIND: Readonly<Record<LeakedKind, FindStanding>> = {
  gatewayKey: async ({ gatewayKeys }, { subjectId, preview }, nowMs) => {
    const key = isId("key", subjectId) ? await gatewayKeys.findById(subjectId) : undefined;
    if (key === undefined) return ended(null);
    if (key.revokedAtMs !== null) return ended(key.revokedAtMs);
    if (key.expiresAtMs !== null && key.expiresAtMs <= nowMs) return ended(key.expiresAtMs);
    // Of secrets of one key: a chance of one in millions to take one for the other, and then it counts as valid.
    if (key.preview === preview) return VALID;
    const old = await gatewayKeys.supersededOf([key.id], nowMs);
    const isValid = old.some((secret) => secret.preview === preview);
    return { ...(isValid ? VALID : ended(null)), isOldSecret: true };
  },

  providerKey: async ({ providerKeys, rotation }, { subjectId, fingerprint }) => {
    const key = isId("pky", subjectId) ? await providerKeys.findById(subjectId) : undefined;
    // Revoked here is not revoked at the provider: whoever found it calls past Keyward.
    if (key?.fingerprint === fingerprint) return key.revokedAtMs === null ? VALID : UNKNOWN;
    const replaced = await rotation.rotations.findByOldSecret(fingerprint);
    if (replaced === undefined) return { ...UNKNOWN, isOldSecret: true };
    const { id, oldFate, endedAtMs } = replaced;
    const old = { isOldSecret: true, replacedBy: { id, hasEnded: endedAtMs !== null } };
    if (isOldEnded(oldFate)) return { ...ended(endedAtMs), ...old };
    return { ...(oldFate === "valid" ? VALID : UNKNOWN), ...old };
  },

  providerAdminKey: async ({ rotation }, { subjectId, fingerprint }) => {
    const holders = await rotation.adminKeys.listByFingerprint(fingerprint);
    const isHeld = holders.some(({ accountId }) => accountId === subjectId);
    return isHeld ? VALID : UNKNOWN;
  },

  adminToken: async ({ adminTokens }, { subjectId }, nowMs) => {
    // Of the settings: which token stands there now is not the store's to say.
    if (!isId("adm", subjectId)) return UNKNOWN;
    const token = await adminTokens.findById(subjectId);
    if (token === undefined) return ended(null);
    if (token.revokedAtMs !== null) return ended(token.revokedAtMs);
    const { expiresAtMs } = token;
    return expiresAtMs !== null && expiresAtMs <= nowMs ? ended(expiresAtMs) : VALID;
  },

  clientToken: (_store, { outcome, createdAtMs }, nowMs) => {
    if (outcome === "revoked") return Promise.resolve(ended(createdAtMs));
    // It is kept nowhere: no later than this it has expired.
    const endsAtMs = createdAtMs + MAX_CLIENT_TOKEN_SECONDS * 1000;
    return Promise.resolve(endsAtMs <= nowMs ? ended(endsAtMs) : VALID);
  },

  session: endedByReport,
  invitation: endedByReport,
  passwordReset: endedByReport,
};

/** Of those that were reported last so many. */
const MAX_LEAKS = 1000;
/** What cannot be known is not told of for longer than it may help. */
const UNKNOWN_TOLD_MS = 30 * 86_400_000;

/**
 * Leaks that may still do harm, newest first, one for each secret: what was done at a later report of it says no more than what it
 * is now. Of what a policy says nobody is to be told, none.
 */
export async function listOpenLeaks(
  store: ReadStore & Pick<Repositories, "exposure">,
  nowMs: number,
): Promise<readonly { readonly leak: LeakRecord; readonly standing: LeakStanding }[]> {
  const { rows } = await store.exposure.leaks.list({ limit: MAX_LEAKS });
  const told = rows.filter(({ outcome }) => outcome !== "noted");
  const first = new Map(told.map((leak) => [secretOf(leak), leak]));
  const open = [];
  for (const leak of told) {
    if (first.get(secretOf(leak)) !== leak) continue;
    const standing = await findLeakStanding(store, leak, nowMs);
    const isOld = nowMs - leak.createdAtMs > UNKNOWN_TOLD_MS;
    if (standing.standing === "ended" || (standing.standing === "unknown" && isOld)) continue;
    open.push({ leak, standing });
  }
  return open;
}

function secretOf({ kind, subjectId, fingerprint }: LeakRecord): string {
  return `${kind} ${subjectId} ${fingerprint}`;
}

/** When a secret of a gateway key was reported first that is valid still; null: none was. */
export async function findOpenLeakOf(
  store: ReadStore & Pick<Repositories, "exposure">,
  gatewayKeyId: GatewayKeyId,
  nowMs: number,
): Promise<number | null> {
  const { rows } = await store.exposure.leaks.list({ limit: MAX_LEAKS }, { gatewayKeyId });
  for (const leak of rows.toReversed()) {
    const { standing } = await findLeakStanding(store, leak, nowMs);
    if (standing === "valid") return leak.createdAtMs;
  }
  return null;
}

/** Nothing brings it back. */
function endedByReport(_store: ReadStore, { createdAtMs }: LeakRecord): Promise<LeakStanding> {
  return Promise.resolve(ended(createdAtMs));
}

function ended(endedAtMs: number | null): LeakStanding {
  return { ...OWN_SECRET, standing: "ended", endedAtMs };
}
