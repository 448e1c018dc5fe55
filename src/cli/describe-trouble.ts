/** What an installation should not stay in, in the words of `status`, `doctor` and the lists. */
import type { components } from "../admin/api-types.ts";
import { formatTime } from "./format-cells.ts";

type Leak = components["schemas"]["Leak"];
type StolenSecret = components["schemas"]["StolenSecret"];
type StuckWork = components["schemas"]["StuckWork"];
type AuditProblem = NonNullable<components["schemas"]["AuditProblem"]>;

/** What a secret that was reported is now. */
export function describeStanding({
  standing,
  endedAt,
  isOldSecret,
}: Pick<Leak, "standing" | "endedAt" | "isOldSecret">): string {
  const now = standing === "unknown" ? "not known" : standing;
  const when = standing === "ended" && endedAt !== null ? ` ${formatTime(endedAt)}` : "";
  return `${isOldSecret ? "old secret, " : ""}${now}${when}`;
}

/**
 * The leaks that are to be told of beside the stolen secrets: of one secret there is one line, and that of a stolen secret says more.
 */
export function leaksBeside(
  leaks: readonly Leak[],
  stolen: readonly StolenSecret[],
): readonly Leak[] {
  const told = new Set(stolen.map(({ rotationId }) => rotationId));
  return leaks.filter(({ replacedBy }) => replacedBy === null || !told.has(replacedBy.rotationId));
}

const LEAKED: Readonly<Record<Leak["kind"], string>> = {
  gatewayKey: "gateway key",
  providerKey: "provider key",
  providerAdminKey: "the admin key of provider account",
  adminToken: "admin token",
  clientToken: "a client token of customer",
  session: "a session of member",
  invitation: "the invitation of",
  passwordReset: "the link for a new password of",
};

/** `gateway key bot of production was reported as leaked 2026-01-31 09:30 and is still valid` */
export function describeOpenLeak(leak: Leak): string {
  const { kind, name, environment, reportedAt, standing, isOldSecret } = leak;
  const whose = environment === null ? name : `${name} of ${environment}`;
  const which = isOldSecret ? ", with a secret from before its last rotation," : "";
  const now =
    standing === "valid" ? "is still valid" : "may still be valid where it is not Keyward's to end";
  return `${LEAKED[kind]} ${whose}${which} was reported as leaked ${formatTime(reportedAt)} and ${now}`;
}

/** Ids and no names: what stands in a command is typed into a shell. */
export function leakRemedyOf({
  kind,
  subjectId,
  standing,
  isOldSecret,
  replacedBy,
}: Pick<Leak, "kind" | "subjectId" | "standing" | "isOldSecret" | "replacedBy">): string {
  if (kind === "gatewayKey") {
    return `keyward keys revoke ${subjectId}, or keyward keys rotate ${subjectId} --overlap 0`;
  }
  if (kind === "providerKey") {
    if (isOldSecret) return oldSecretRemedyOf(replacedBy);
    return standing === "valid"
      ? `keyward provider-keys rotate ${subjectId} --compromise`
      : "delete the secret at the provider";
  }
  if (kind === "providerAdminKey") {
    return standing === "valid"
      ? `keyward provider-accounts set-admin-key ${subjectId}`
      : "delete the admin key at the provider";
  }
  if (kind === "clientToken") return "keyward client-tokens revoke --help; it ends within the hour";
  return standing === "valid"
    ? `keyward admin-tokens revoke ${subjectId}`
    : "put another token into KEYWARD_ADMIN_TOKEN, where you have not, and restart";
}

/** The key has another secret: rotating it again would end that one, and leave the leaked one as it is. */
function oldSecretRemedyOf(replacedBy: Leak["replacedBy"]): string {
  if (replacedBy === null) return "delete the old secret at the provider, and leave the key alone";
  const { rotationId, hasEnded } = replacedBy;
  return hasEnded
    ? `delete the old secret at the provider, and leave the key alone; then keyward rotations confirm-revoked ${rotationId}`
    : `keyward rotations revoke-old ${rotationId}`;
}

/** `the rotation of provider key main of production failed in pending 2026-01-31 09:30: …` */
export function describeStuckWork(work: StuckWork): string {
  const { kind, key, environment, step, hasFailed, held, problem, since } = work;
  const whose = `the ${kind} of provider key ${key ?? "(gone)"} of ${environment ?? "its environment"}`;
  if (step === LATE_LOOK) return `${whose} has ended ${formatTime(since)}, and ${problem ?? ""}`;
  if (held) return `${whose} is on hold in ${step} since ${formatTime(since)}: ${problem ?? ""}`;
  const how = hasFailed ? `failed in ${step}` : `does not get on in ${step}; it has tried`;
  const when = `${hasFailed ? "" : "since "}${formatTime(since)}`;
  return `${whose} ${how} ${when}${problem === null ? "" : `: ${problem}`}`;
}

/** Of what has ended: there is nothing to retry. */
const LATE_LOOK = "late_look";

/** `a stolen secret, sk-…9fQa, which provider key main of production had, is still valid at its provider …` */
export function describeStolenSecret(stolen: StolenSecret): string {
  const { key, keyId, environment, preview, oldSecret, since } = stolen;
  const whose = `provider key ${key ?? keyId} of ${environment ?? "its environment"}`;
  const now = oldSecret === "valid" ? "is still valid" : "may still be valid";
  return `the stolen secret ${preview}, which ${whose} had until ${formatTime(since)}, ${now} at its provider`;
}

export function stolenRemedyOf({
  rotationId,
  keysPage,
}: Pick<StolenSecret, "rotationId" | "keysPage">): string {
  const where = keysPage === null ? "at the provider" : `at ${keysPage}`;
  return `delete it ${where}; then keyward rotations confirm-revoked ${rotationId}`;
}

/** Of work that was put back from a backup. */
export function heldRemedyOf({ kind, id }: Pick<StuckWork, "kind" | "id">): string {
  return `where the installation of the backup is gone for good, keyward ${kind}s retry ${id} --original-gone; else give it up, which touches nothing at the provider: keyward ${kind}s cancel ${id}`;
}

export function stuckRemedyOf({ kind, id, step, held }: StuckWork): string {
  if (step === LATE_LOOK) {
    return `keyward provider-accounts set-admin-key, where it was taken away; or look at the provider for what has that name`;
  }
  if (held) return heldRemedyOf({ kind, id });
  return `keyward ${kind}s show ${id}; then keyward ${kind}s retry ${id} or cancel`;
}

/** `the audit log is not whole, or not what was seen of it (altered, entry 5)` */
export function describeAuditProblem({ fault, sequence }: AuditProblem): string {
  return `the audit log is not whole, or not what was seen of it (${fault}, entry ${sequence})`;
}
