import type { ColumnType } from "kysely";
import type { ProviderAccountId } from "../../core/ids/ids.ts";

type Integer = ColumnType<bigint, bigint | number, bigint | number>;

export interface AccountViewTable {
  readonly account_id: ProviderAccountId;
  /** `''` = the account as a whole. */
  readonly model: string;
  /** JSON object, see AccountView. */
  readonly view: string;
  readonly changed_at_ms: Integer;
}

/** The tables about provider accounts' own limits. */
export interface AccountTables {
  readonly account_views: AccountViewTable;
}
