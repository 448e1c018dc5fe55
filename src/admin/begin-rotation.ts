import { UNKNOWN_OWNERSHIP } from "../core/keys/ownership.ts";
import { previewProviderKey } from "../core/keys/provider-key.ts";
import { canRevokeOld, isCancellable, type RotationTrigger } from "../core/rotation/rotation.ts";
import type { ProviderKeyRecord } from "../store/records.ts";
import type { RotationRecord } from "../store/rotation-records.ts";
import { UniqueViolationError } from "../store/store.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { judgeSecret } from "./judge-provider-key.ts";

export interface RotationRequest {
  readonly key: ProviderKeyRecord;
  /** In clear; leaves this file sealed only. Undefined: the provider is asked for one. */
  readonly secret: string | undefined;
  readonly isCompromise: boolean;
  readonly observeMs: number;
  readonly graceMs: number;
  readonly trigger: RotationTrigger;
  readonly createdBy: string;
}

export type BegunRotation =
  | { readonly record: RotationRecord }
  | { readonly conflict: string; readonly param: string };

type BeginDeps = Pick<AdminDeps, "ids"> & {
  readonly store: Pick<
    AdminDeps["store"],
    "environments" | "providerAccounts" | "providerKeys" | "rotation"
  >;
  readonly vault: Pick<AdminDeps["vault"], "seal" | "fingerprint">;
  readonly nowMs: () => number;
};

/**
 * Writes down that a key is to be rotated, and with a secret that was brought, that. Nothing is asked of a provider here:
 * whoever drives rotations finds the record and goes on from it.
 */
export async function beginRotation(
  deps: BeginDeps,
  request: RotationRequest,
): Promise<BegunRotation> {
  const { store, ids } = deps;
  const { key, secret } = request;
  if (key.revokedAtMs !== null) {
    return { conflict: "This provider key is revoked: add another one.", param: "id" };
  }
  const id = ids.create("rot");
  const nowMs = deps.nowMs();
  const next = secret === undefined ? null : await takeSecret(deps, key, secret);
  if (next !== null && "conflict" in next) return next;
  const facts = await store.rotation.keyFacts.of(key.id);
  const way = secret === undefined ? "automatic" : "assisted";
  const state = secret === undefined ? "create" : "pending";
  const record: RotationRecord = {
    id,
    keyId: key.id,
    accountId: key.accountId,
    environmentId: key.environmentId,
    revision: 0,
    state,
    way,
    isCompromise: request.isCompromise,
    observeMs: request.observeMs,
    graceMs: request.isCompromise ? 0 : request.graceMs,
    stateSinceMs: nowMs,
    isVerified: false,
    activatedAtMs: null,
    graceUntilMs: null,
    attempts: 0,
    nextAttemptAtMs: nowMs,
    problem: null,
    failedIn: null,
    endedAtMs: null,
    trigger: request.trigger,
    remoteName: `keyward-${id}`,
    old: {
      version: key.version,
      preview: key.preview,
      fingerprint: key.fingerprint,
      sealed: null,
      remote: facts.remote,
      ownership: facts.ownership,
    },
    next,
    isOldExpiring: false,
    oldFate: null,
    oldCheckAtMs: null,
    oldRefusedAtMs: null,
    isHeld: false,
    lateLook: null,
    notes: [{ atMs: nowMs, state, text: `begun by ${request.createdBy}` }],
    createdBy: request.createdBy,
    createdAtMs: nowMs,
  };
  try {
    await store.rotation.rotations.insert(record);
    return { record };
  } catch (error) {
    if (!(error instanceof UniqueViolationError) || error.field !== "keyId") throw error;
    const open = await store.rotation.rotations.findOpenOf(key.id);
    return { conflict: openRotationConflict(open, request.isCompromise), param: "id" };
  }
}

/** What helps depends on how far the open one has got: until the old secret is ended, either of the two may be what leaked. */
function openRotationConflict(open: RotationRecord | undefined, isCompromise: boolean): string {
  const rotated = "This provider key is being rotated already";
  // It has ended between the two looks.
  if (open === undefined) return `${rotated}: try again.`;
  const commands = "keyward rotations";
  if (canRevokeOld(open) && isCompromise) {
    return `${rotated}, and has its new secret. Whichever of the two has leaked, have the old one ended first; if it was the new one, rotate again after that. See \`${commands} revoke-old ${open.id}\`.`;
  }
  if (isCancellable(open) && !canRevokeOld(open)) {
    return `${rotated}, and still has its old secret. Wait for the end of that, or, where its new secret is a wrong one or this cannot wait, call it off first. See \`${commands} cancel ${open.id}\`.`;
  }
  return `${rotated}: wait for the end of that. See \`${commands} show ${open.id}\`.`;
}

async function takeSecret(
  { store, vault }: Pick<BeginDeps, "store" | "vault">,
  key: ProviderKeyRecord,
  secret: string,
): Promise<NonNullable<RotationRecord["next"]> | { conflict: string; param: string }> {
  const fingerprint = await vault.fingerprint(secret);
  const conflict = await conflictOf(store, key, fingerprint);
  if (conflict !== undefined) return { conflict, param: "secret" };
  const version = key.version + 1;
  const context = { environmentId: key.environmentId, secretId: key.id, version };
  return {
    version,
    preview: previewProviderKey(secret),
    fingerprint,
    sealed: await vault.seal(secret, context),
    remote: null,
    ownership: UNKNOWN_OWNERSHIP,
  };
}

/** Told at once, so that nobody waits for a rotation that the environment's policy would end. */
async function conflictOf(
  store: BeginDeps["store"],
  key: ProviderKeyRecord,
  fingerprint: string,
): Promise<string | undefined> {
  const [environment, account] = await Promise.all([
    store.environments.findById(key.environmentId),
    store.providerAccounts.findById(key.accountId),
  ]);
  if (environment === undefined) throw new Error(`provider key ${key.id} has no environment`);
  const judged = { account, ownership: undefined, fingerprint };
  const { twin, refusal } = await judgeSecret(store, environment, judged);
  if (twin?.id === key.id) {
    return "This is the secret that the key has already: create another one at the provider.";
  }
  if (twin !== undefined) {
    return `This secret is active already as provider key \`${twin.name}\` (${twin.id}): create another one at the provider.`;
  }
  return refusal?.message;
}
