import { isId } from "../core/ids/ids.ts";
import type { AlertSubject } from "../store/alert-records.ts";
import type { Store } from "../store/store.ts";
import type { Problem } from "./answers/error-body.ts";
import { quoteInput } from "./fields/quote-input.ts";
import { References } from "./references.ts";

type MutedStore = Pick<
  Store,
  | "projects"
  | "environments"
  | "providerAccounts"
  | "customers"
  | "gatewayKeys"
  | "providerKeys"
  | "usage"
>;

export interface MutedSubject {
  readonly subject: AlertSubject;
  /** Why the mute may mute nothing; null where its subject is known. */
  readonly warning: string | null;
}

type Refused = { readonly problems: readonly Problem[] };

/** Calls of so long are looked through for a name that calls carry. */
const KNOWN_FOR_MS = 90 * 86_400_000;

/**
 * What a mute is about, by the id that alerts have. What the team keeps must be there; customers, features and models are
 * what calls name, and may be yet to come: where no call named them, that is said.
 */
export async function resolveMutedSubject(
  store: MutedStore,
  { kind, id }: { readonly kind: AlertSubject["kind"]; readonly id?: string | undefined },
  nowMs: number,
): Promise<MutedSubject | Refused> {
  if (kind === "organization") {
    if (id === undefined || id === "") return known({ kind, id: "" });
    return refused("The organization has no id: leave `subject.id` out.");
  }
  if (id === undefined) {
    return refused(
      `\`subject.id\` must say which ${WORDS[kind] ?? kind}, as alerts show it; without it nothing would be muted.`,
    );
  }
  if (kind === "customer" || kind === "feature" || kind === "model") {
    const isKnown = id === "" || (await isCalled(store, { kind, id }, nowMs));
    return { subject: { kind, id }, warning: isKnown ? null : unknownOf(kind, id) };
  }
  return await resolveKept(store, kind, id);
}

type KeptKind = Exclude<AlertSubject["kind"], "organization" | "customer" | "feature" | "model">;

async function resolveKept(
  store: MutedStore,
  kind: KeptKind,
  text: string,
): Promise<MutedSubject | Refused> {
  // A leaked token may be a setting, which is in no table.
  if (kind === "adminToken") return known({ kind, id: text });
  if (kind === "key" || kind === "providerKey") {
    const isThere =
      kind === "key"
        ? isId("key", text) && (await store.gatewayKeys.findById(text)) !== undefined
        : isId("pky", text) && (await store.providerKeys.findById(text)) !== undefined;
    if (isThere) return known({ kind, id: text });
    const list = kind === "key" ? "keys" : "provider-keys";
    return refused(
      `There is no ${WORDS[kind]} of the id ${quoteInput(text)}. See \`keyward ${list} list\`.`,
    );
  }
  const references = new References(store);
  const found = await findNamed(references, kind, text);
  return found === undefined ? { problems: references.problems } : known({ kind, id: found.id });
}

const PARAM = "subject.id";

function findNamed(
  references: References,
  kind: "project" | "environment" | "providerAccount",
  text: string,
): Promise<{ readonly id: string } | undefined> {
  if (kind === "project") return references.project(PARAM, text);
  if (kind === "environment") return references.environment(PARAM, text);
  return references.account(PARAM, text);
}

async function isCalled(
  { customers, usage }: MutedStore,
  { kind, id }: { readonly kind: "customer" | "feature" | "model"; readonly id: string },
  nowMs: number,
): Promise<boolean> {
  if (kind === "customer" && (await customers.findByExternalId(id)) !== undefined) return true;
  const request = { groupBy: [], fromMs: nowMs - KNOWN_FOR_MS, filter: { [kind]: id } };
  const { rows } = await usage.summarize({ limit: 1 }, request);
  return (rows[0]?.calls ?? 0) > 0;
}

const WORDS: Readonly<Partial<Record<AlertSubject["kind"], string>>> = {
  key: "gateway key",
  providerKey: "provider key",
  providerAccount: "provider account",
  adminToken: "admin token",
};

function unknownOf(kind: string, id: string): string {
  return `no call of the last 90 days names the ${kind} ${quoteInput(id)}: nothing is muted unless calls do`;
}

function known(subject: AlertSubject): MutedSubject {
  return { subject, warning: null };
}

function refused(message: string): Refused {
  return { problems: [{ param: PARAM, message }] };
}
