import type { Expression, ExpressionBuilder, SqlBool } from "kysely";
import type { AdminTokenId } from "../../../core/ids/ids.ts";
import type { AccessTables } from "./access-tables.ts";

/** What was made with this admin token, or with any. */
export function madeWith(token: AdminTokenId | "any") {
  return ({
    eb,
  }: ExpressionBuilder<AccessTables, "invitations" | "password_resets">): Expression<SqlBool> =>
    token === "any" ? eb("made_with", "is not", null) : eb("made_with", "=", token);
}
