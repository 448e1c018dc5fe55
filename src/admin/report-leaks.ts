import type { EnvironmentId } from "../core/ids/ids.ts";
import { isAdminToken } from "../core/keys/admin-token.ts";
import {
  type ClientTokenClaims,
  previewClientToken,
  readClientToken,
} from "../core/keys/client-token.ts";
import { hashGatewayKey, previewGatewayKey } from "../core/keys/gateway-key.ts";
import { gatewayKeyOutcome, type LeakOutcome } from "../core/leaks/leak.ts";
import { placeOfLeak, sourceOfLeak } from "../core/leaks/place-of-leak.ts";
import { secretsInText } from "../core/leaks/secrets-in-text.ts";
import { resolvePolicy, type RuleMode } from "../core/policy/environment-policy.ts";
import { isOldEnded } from "../core/rotation/old-secret.ts";
import type {
  InvitationRecord,
  PasswordResetRecord,
  SessionRecord,
} from "../store/access-records.ts";
import { endStolenAdminToken } from "../store/end-admin-token.ts";
import type { LeakRecord } from "../store/exposure-repositories.ts";
import type { PresentedKeyRecord } from "../store/gateway-key-repository.ts";
import type { RotationRecord } from "../store/rotation-records.ts";
import type { Repositories } from "../store/store.ts";
import { scrubSecrets } from "../telemetry/scrub-secrets.ts";
import { clientTokenPurpose } from "../vault/vault.ts";
import type { AdminDeps } from "./admin-deps.ts";

/** What somebody has found. */
export interface LeakReport {
  /** It, or a text with it. */
  readonly secret: string;
  readonly url?: string | undefined;
  readonly source?: string | undefined;
}

export type ReportDeps = Pick<AdminDeps, "store" | "vault" | "ids" | "clock" | "authenticator">;

/** A report, and what its secret is found by. */
interface Evidence {
  readonly hash: string;
  readonly fingerprint: string;
  /** Where it is a gateway key: which of a key's secrets it is, the own one or one from before. */
  readonly keyPreview: string;
  /** The client token that it is, good until it expires. */
  readonly clientToken:
    | { readonly claims: ClientTokenClaims; readonly preview: string }
    | undefined;
  /** It is the token of the settings, which is nobody's to revoke here. */
  readonly settingName: string | undefined;
  readonly place: string | null;
  readonly source: string | null;
}

/** In whose name a stranger's report is written into the audit log. */
const NOBODY_KNOWN = { kind: "system", id: "anonymous", name: "anonymous" } as const;

/**
 * Looks for every secret among gateway keys, provider keys with their old secrets, admin keys, admin tokens, sessions, invitations and
 * links for new passwords, and does about those that are ours what is to be done, all of it or nothing. The same look-ups in the same transaction for every secret, whatever it turns out to be.
 */
export async function reportLeaks(
  deps: ReportDeps,
  reports: readonly LeakReport[],
  from: { readonly address: string | null; readonly requestId: string },
): Promise<void> {
  // Once each: copies of one that is ours would take longer than as many that are nobody's.
  const evidence = new Map<string, Evidence>();
  for (const report of reports) {
    for (const secret of secretsInText(report.secret)) {
      const one = await gather(deps, { ...report, secret });
      evidence.set(one.hash, one);
    }
  }
  await deps.store.as({ actor: NOBODY_KNOWN, ...from }, () =>
    deps.store.transaction(async (repositories) => {
      for (const one of evidence.values())
        await act({ ...deps, repositories, address: from.address }, one);
    }),
  );
}

async function gather(deps: ReportDeps, { secret, url, source }: LeakReport): Promise<Evidence> {
  const { vault, authenticator } = deps;
  return {
    hash: hashGatewayKey(secret),
    fingerprint: await vault.fingerprint(secret),
    keyPreview: previewGatewayKey(secret),
    clientToken: await findClientToken(deps, secret),
    settingName: await findSetting(authenticator, secret),
    place: scrubbed(placeOfLeak(url, secret)),
    source: scrubbed(sourceOfLeak(source, secret)),
  };
}

/** Beside the one that was reported, another secret may stand in the text. */
function scrubbed(text: string | null): string | null {
  return text === null ? null : scrubSecrets(text);
}

/** Outside of the transaction, for the vault may have to write; and it makes no key for what somebody has made up. */
async function findClientToken(
  { store, vault, clock }: ReportDeps,
  secret: string,
): Promise<Evidence["clientToken"]> {
  const read = readClientToken(secret);
  if (read === undefined || read.claims.expiresAtMs <= clock.nowMs()) return undefined;
  const { environmentId, signingKey } = read.claims;
  const environment = await store.environments.findById(environmentId);
  const current = await store.exposure.clientTokens.currentSigningKey(environmentId);
  if (environment === undefined || current !== signingKey) return undefined;
  const sign = await vault.hasher(clientTokenPurpose(environmentId, signingKey));
  if (!read.isSignedBy(sign)) return undefined;
  return { claims: read.claims, preview: previewClientToken(secret) };
}

/** The name of the setting that has this for its token. Tokens of the store are looked for there, and not used. */
async function findSetting(
  authenticator: AdminDeps["authenticator"],
  secret: string,
): Promise<string | undefined> {
  if (!authenticator.checksTokens || isAdminToken(secret)) return undefined;
  const authorization = `Bearer ${secret}`;
  const principal = await authenticator.identify({ authorization, cookie: null });
  return principal?.kind === "token" ? principal.id : undefined;
}

interface Acting extends Pick<ReportDeps, "ids" | "clock"> {
  readonly repositories: Repositories;
  readonly address: string | null;
}

async function act(acting: Acting, evidence: Evidence): Promise<void> {
  const { gatewayKeys, providerKeys, adminTokens } = acting.repositories;
  const key = await gatewayKeys.findByHash(evidence.hash);
  const token = await adminTokens.findActiveByHash(evidence.hash);
  const secrets = await providerKeys.findActiveByFingerprint(evidence.fingerprint);
  const { rotations, adminKeys } = acting.repositories.rotation;
  const rotation = await rotations.findByOldSecret(evidence.fingerprint);
  const administering = await adminKeys.listByFingerprint(evidence.fingerprint);
  const { sessions, invitations, passwordResets } = acting.repositories.access;
  const session = await sessions.findByHash(evidence.hash);
  const invitation = await invitations.findByHash(evidence.hash);
  const reset = await passwordResets.findByHash(evidence.hash);
  if (key !== undefined) await actOnGatewayKey(acting, evidence, key);
  if (token !== undefined) {
    await endStolenAdminToken(acting.repositories, token.id, acting.clock.nowMs());
    const { id: subjectId, name, preview } = token;
    const subject = { kind: "adminToken", subjectId, name, preview, environmentId: null } as const;
    await note(acting, evidence, { ...subject, outcome: "revoked" });
  }
  // Revoked here it would go on working at its provider, and calls would fail for nothing: it has to be replaced.
  for (const { id: subjectId, name, preview, environmentId } of secrets) {
    const subject = { kind: "providerKey", subjectId, name, preview, environmentId } as const;
    await note(acting, evidence, { ...subject, outcome: "still_valid" });
  }
  if (rotation !== undefined && secrets.length === 0) await tellOfOld(acting, evidence, rotation);
  for (const { accountId: subjectId, preview } of administering) {
    const account = await acting.repositories.providerAccounts.findById(subjectId);
    const name = account?.name ?? subjectId;
    const subject = { kind: "providerAdminKey", subjectId, name, preview } as const;
    await note(acting, evidence, { ...subject, environmentId: null, outcome: "still_valid" });
  }
  if (session !== undefined) await endSession(acting, evidence, session);
  if (invitation !== undefined) await endInvitation(acting, evidence, invitation);
  if (reset !== undefined) await endPasswordReset(acting, evidence, reset);
  if (evidence.clientToken !== undefined) {
    await actOnClientToken(acting, evidence, evidence.clientToken);
  }
  if (evidence.settingName === undefined) return;
  const { settingName: name } = evidence;
  const subject = { subjectId: name, name, preview: null, environmentId: null };
  await note(acting, evidence, { kind: "adminToken", ...subject, outcome: "still_valid" });
}

/** As good as a password while it lasts, and nothing goes wrong without it: its person logs in again. */
async function endSession(
  acting: Acting,
  evidence: Evidence,
  { id: subjectId, memberId }: SessionRecord,
): Promise<void> {
  const { members, sessions } = acting.repositories.access;
  const name = (await members.findById(memberId))?.email ?? memberId;
  await sessions.remove(subjectId, memberId);
  const subject = { kind: "session", subjectId, name, preview: null, environmentId: null } as const;
  await note(acting, evidence, { ...subject, outcome: "revoked" });
}

/** One that was used, revoked or has run out opens nothing. */
async function endInvitation(
  acting: Acting,
  evidence: Evidence,
  { id: subjectId, email, role, expiresAtMs }: InvitationRecord,
): Promise<void> {
  const nowMs = acting.clock.nowMs();
  if (expiresAtMs <= nowMs) return;
  if (!(await acting.repositories.access.invitations.revoke(subjectId, nowMs))) return;
  const name = email ?? role;
  const subject = { kind: "invitation", subjectId, name, preview: null } as const;
  await note(acting, evidence, { ...subject, environmentId: null, outcome: "revoked" });
}

/** The member's open one, of which there is one at most: another can be made, and the old password still holds. */
async function endPasswordReset(
  acting: Acting,
  evidence: Evidence,
  { id: subjectId, memberId, expiresAtMs, usedAtMs, revokedAtMs }: PasswordResetRecord,
): Promise<void> {
  const nowMs = acting.clock.nowMs();
  if (expiresAtMs <= nowMs || usedAtMs !== null || revokedAtMs !== null) return;
  const { members, passwordResets } = acting.repositories.access;
  await passwordResets.revokeOpen({ memberId }, nowMs);
  const name = (await members.findById(memberId))?.email ?? memberId;
  const subject = { kind: "passwordReset", subjectId, name, preview: null } as const;
  await note(acting, evidence, { ...subject, environmentId: null, outcome: "revoked" });
}

/** Replaced here, and not known to be refused at the provider: whoever has found it calls past Keyward with it. */
async function tellOfOld(
  acting: Acting,
  evidence: Evidence,
  { keyId: subjectId, environmentId, old: { preview }, oldFate }: RotationRecord,
): Promise<void> {
  if (isOldEnded(oldFate)) return;
  const name = (await acting.repositories.providerKeys.findById(subjectId))?.name ?? subjectId;
  const subject = { kind: "providerKey", subjectId, name, preview, environmentId } as const;
  await note(acting, evidence, { ...subject, outcome: "old_secret_valid" });
}

/** An expired key counts as one that is valid: it could be given another end. */
async function actOnGatewayKey(
  acting: Acting,
  evidence: Evidence,
  key: PresentedKeyRecord,
): Promise<void> {
  const { id: subjectId, name, environmentId, superseded } = key;
  const nowMs = acting.clock.nowMs();
  if (key.revokedAtMs !== null) return;
  if (superseded !== null && superseded.validUntilMs <= nowMs) return;
  const mode = await modeOf(acting.repositories, environmentId);
  const outcome = gatewayKeyOutcome(mode, superseded !== null);
  const { gatewayKeys } = acting.repositories;
  if (outcome === "revoked") await gatewayKeys.revoke(subjectId, nowMs);
  if (outcome === "old_secret_ended") await gatewayKeys.endSuperseded(subjectId, nowMs);
  const preview = evidence.keyPreview;
  const subject = { kind: "gatewayKey", subjectId, name, preview, environmentId } as const;
  await note(acting, evidence, { ...subject, outcome });
}

/** It is kept nowhere, so that it can be revoked only with every other of its customer; its pages ask for new ones. */
async function actOnClientToken(
  acting: Acting,
  evidence: Evidence,
  { claims, preview }: NonNullable<Evidence["clientToken"]>,
): Promise<void> {
  const { id, customer, environmentId } = claims;
  const revocations = await acting.repositories.exposure.clientTokens.listAll();
  const isDead = revocations.some(
    ({ kind, subject: whose, sequence }) =>
      kind === "customer" && whose === customer && sequence > claims.madeAfter,
  );
  if (isDead) return;
  const outcome = gatewayKeyOutcome(await modeOf(acting.repositories, environmentId), false);
  if (outcome === "revoked") {
    const { clientTokens } = acting.repositories.exposure;
    await clientTokens.revoke({ kind: "customer", subject: customer });
  }
  const subject = { kind: "clientToken", subjectId: id, name: customer, preview } as const;
  await note(acting, evidence, { ...subject, environmentId, outcome });
}

async function modeOf(
  { environments }: Pick<Repositories, "environments">,
  environmentId: EnvironmentId,
): Promise<RuleMode> {
  const environment = await environments.findById(environmentId);
  if (environment === undefined) throw new Error(`there is no environment ${environmentId}`);
  return resolvePolicy(environment.kind, environment.policy).modes.leaked_keys;
}

type Subject = Pick<LeakRecord, "kind" | "subjectId" | "name" | "preview" | "environmentId"> & {
  readonly outcome: LeakOutcome;
};

/** Once for each secret and outcome, however often it is reported. */
async function note(
  { repositories, ids, clock, address }: Acting,
  { fingerprint, place, source }: Evidence,
  subject: Subject,
): Promise<void> {
  await repositories.exposure.leaks.insert({
    id: ids.create("lek"),
    ...subject,
    fingerprint,
    place,
    source,
    address,
    createdAtMs: clock.nowMs(),
  });
}
