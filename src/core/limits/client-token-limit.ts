import type { LimitId } from "../ids/ids.ts";
import type { ClientTokenClaims } from "../keys/client-token.ts";
import type { Limit } from "./limit.ts";

/** A limit that came with a call and is kept in no store. */
export interface OwnLimit {
  readonly limit: Limit;
  /** Whose calls it counts. */
  readonly subject: string;
}

/** One for all tokens: what each has taken of its own is told apart by the subject. No limit that was made has this id. */
const CLIENT_TOKEN_LIMIT = "lim_00000000000000000000000000" as LimitId;

/** Undefined for a token without a limit of its own. */
export function ownLimitOf({
  id,
  keyId,
  limits,
}: Pick<ClientTokenClaims, "id" | "keyId" | "limits">): OwnLimit | undefined {
  if (Object.values(limits).every((amount) => amount === null)) return undefined;
  const scope = { kind: "key", id: keyId } as const;
  return { limit: { ...limits, id: CLIENT_TOKEN_LIMIT, scope }, subject: id };
}

export function isClientTokenLimit({ id }: Limit): boolean {
  return id === CLIENT_TOKEN_LIMIT;
}
