/**
 * Whose a provider's secret is, and what says so. Three things can say it, from the weakest to the strongest: the prefix
 * of the secret, the organization that a response names, and the owner that the provider's Admin API names. Nothing
 * here asks a provider; whoever has learned something brings it.
 *
 * Source of the forms: OpenAI's API reference (project API keys, "Authentication") and the prefixes its keys have.
 */

/** Who holds a secret at the provider. Unknown: nothing at hand tells. */
export const KEY_OWNERS = ["user", "service_account", "unknown"] as const;
export type KeyOwner = (typeof KEY_OWNERS)[number];

/** What can say whose a secret is, the weakest first. */
export const OWNERSHIP_SOURCES = ["prefix", "response", "admin_api"] as const;
export type OwnershipSource = (typeof OWNERSHIP_SOURCES)[number];

/** Whose a secret is, with what says so. */
export interface Ownership {
  readonly owner: KeyOwner;
  /** For people, nothing secret: `sk-svcacct-`, `openai-organization: user-…`. Null when nothing at hand tells. */
  readonly evidence: OwnershipEvidence | null;
}

interface OwnershipEvidence {
  readonly source: OwnershipSource;
  readonly detail: string;
}

/** What is known of one secret; whatever is absent has not been seen. */
export interface OwnershipClues {
  /** In clear; only its prefix is looked at, and only that is in the answer. */
  readonly secret?: string | undefined;
  /** The value of `openai-organization` in a response to a call with the secret. */
  readonly organizationHeader?: string | undefined;
  /** `owner.type` of the project API key, as the Admin API says. */
  readonly adminOwnerType?: string | undefined;
}

export const UNKNOWN_OWNERSHIP: Ownership = { owner: "unknown", evidence: null };

/** By the strongest of the clues that tells something. */
export function ownershipOf(clues: OwnershipClues): Ownership {
  return (
    byAdminApi(clues.adminOwnerType) ??
    byResponse(clues.organizationHeader) ??
    byPrefix(clues.secret) ??
    UNKNOWN_OWNERSHIP
  );
}

/** Which of two findings about one secret stands: the one of the stronger source, the newer of two equal ones. */
export function strongerOwnership(known: Ownership, found: Ownership): Ownership {
  return strengthOf(found) >= strengthOf(known) ? found : known;
}

/** The kind of account that an owner means: a person's, or an organization's. Undefined for an unknown owner. */
export function accountKindOf(owner: KeyOwner): "personal" | "organization" | undefined {
  if (owner === "unknown") return undefined;
  return owner === "user" ? "personal" : "organization";
}

/** Whether what was found contradicts what was declared of the account. An unknown owner contradicts nothing. */
export function isOwnershipConflict(
  declared: "personal" | "organization",
  { owner }: Pick<Ownership, "owner">,
): boolean {
  const detected = accountKindOf(owner);
  return detected !== undefined && detected !== declared;
}

/** An admin key of the organization: it manages keys, projects and members, and is no key to call models with. */
export function isProviderAdminKey(secret: string): boolean {
  return secret.startsWith(ADMIN_KEY_PREFIX);
}

const ADMIN_KEY_PREFIX = "sk-admin-";
const SERVICE_ACCOUNT_PREFIX = "sk-svcacct-";
/** What OpenAI writes where a key has no project: a person made it. */
const NO_PROJECT_PREFIX = "sk-None-";
/** The old keys, of before there were projects: a person's, whose prefix says no type. */
const UNTYPED_SECRET = /^sk-[A-Za-z0-9]+$/;
/** OpenAI gives every person an organization of their own, and calls it so. */
const PERSONAL_ORGANIZATION_PREFIX = "user-";

function strengthOf({ evidence }: Ownership): number {
  return evidence === null ? -1 : OWNERSHIP_SOURCES.indexOf(evidence.source);
}

function byAdminApi(type: string | undefined): Ownership | undefined {
  if (type !== "user" && type !== "service_account") return undefined;
  return { owner: type, evidence: { source: "admin_api", detail: `owner.type: ${type}` } };
}

function byResponse(organization: string | undefined): Ownership | undefined {
  if (organization?.startsWith(PERSONAL_ORGANIZATION_PREFIX) !== true) return undefined;
  const detail = `openai-organization: ${PERSONAL_ORGANIZATION_PREFIX}…`;
  return { owner: "user", evidence: { source: "response", detail } };
}

function byPrefix(secret: string | undefined): Ownership | undefined {
  if (secret === undefined) return undefined;
  if (secret.startsWith(SERVICE_ACCOUNT_PREFIX)) {
    return saidByPrefix("service_account", SERVICE_ACCOUNT_PREFIX);
  }
  if (secret.startsWith(NO_PROJECT_PREFIX)) return saidByPrefix("user", NO_PROJECT_PREFIX);
  return UNTYPED_SECRET.test(secret) ? saidByPrefix("user", "sk-") : undefined;
}

function saidByPrefix(owner: KeyOwner, detail: string): Ownership {
  return { owner, evidence: { source: "prefix", detail } };
}
