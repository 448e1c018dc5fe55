import type {
  EnvironmentId,
  GatewayKeyId,
  ProjectId,
  ProviderAccountId,
  ProviderKeyId,
} from "../../core/ids/ids.ts";
import type { AlertSubject } from "../../store/alert-records.ts";
import type { Store } from "../../store/store.ts";

export type NamedStore = Pick<
  Store,
  "projects" | "environments" | "gatewayKeys" | "providerAccounts" | "providerKeys"
>;

/** What an alert is about, with the word for it: `customer acme`, `environment production`. */
export async function nameSubject(store: NamedStore, { kind, id }: AlertSubject): Promise<string> {
  if (kind === "organization") return "the organization";
  if (kind === "customer" && id === "") return "calls without a customer";
  if (kind === "feature" && id === "") return "calls without a feature";
  return `${WORDS[kind] ?? kind} ${await shortName(store, { kind, id })}`;
}

/** Its name, or its id where it has none (any more); `""` for the organization, and for calls that name none. */
export async function shortName(store: NamedStore, subject: AlertSubject): Promise<string> {
  return (await findName(store, subject)) ?? subject.id;
}

const WORDS: Readonly<Partial<Record<AlertSubject["kind"], string>>> = {
  key: "key",
  providerAccount: "account",
  providerKey: "provider key",
};

async function findName(
  store: NamedStore,
  { kind, id }: AlertSubject,
): Promise<string | undefined> {
  if (kind === "project") return (await store.projects.findById(id as ProjectId))?.name;
  if (kind === "environment") return (await store.environments.findById(id as EnvironmentId))?.name;
  if (kind === "key") return (await store.gatewayKeys.findById(id as GatewayKeyId))?.name;
  if (kind === "providerAccount") {
    return (await store.providerAccounts.findById(id as ProviderAccountId))?.name;
  }
  if (kind === "providerKey") return (await store.providerKeys.findById(id as ProviderKeyId))?.name;
  return undefined;
}
