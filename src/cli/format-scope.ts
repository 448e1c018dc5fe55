import type { components } from "../admin/api-types.ts";

/** `customer acme`, `each customer`, `all calls` */
export function formatScope({ scope }: { scope: components["schemas"]["Scope"] }): string {
  const { kind, id, name } = scope;
  if (kind === "organization") return "all calls";
  const word = kind === "providerAccount" ? "provider account" : kind;
  return id === null ? `each ${word}` : `${word} ${name ?? id}`;
}
