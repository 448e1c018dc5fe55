import type { ColumnType } from "kysely";
import type { ProviderAccountId } from "../../core/ids/ids.ts";

type Integer = ColumnType<bigint, bigint | number, bigint | number>;

type OptionalInteger = ColumnType<bigint | null, bigint | number | null, bigint | number | null>;

export interface AccountViewTable {
  readonly account_id: ProviderAccountId;
  /** `''` = the account as a whole. */
  readonly model: string;
  /** JSON object, see AccountView. */
  readonly view: string;
  readonly changed_at_ms: Integer;
}

export interface AccountMinuteTable {
  readonly account_id: ProviderAccountId;
  readonly model: string;
  readonly minute_ms: Integer;
  readonly requests: Integer;
  readonly tokens: Integer;
  readonly request_limit: OptionalInteger;
  readonly token_limit: OptionalInteger;
}

export interface AccountHourTable {
  readonly account_id: ProviderAccountId;
  readonly model: string;
  readonly hour_ms: Integer;
  readonly peak_requests: Integer;
  /** The minute of the peak. */
  readonly peak_requests_at_ms: Integer;
  readonly peak_tokens: Integer;
  readonly peak_tokens_at_ms: Integer;
  readonly waited: Integer;
  readonly longest_wait_ms: Integer;
  readonly refused: Integer;
  readonly request_limit: OptionalInteger;
  readonly token_limit: OptionalInteger;
}

/** The tables about provider accounts' own limits. */
export interface AccountTables {
  readonly account_views: AccountViewTable;
  readonly account_minutes: AccountMinuteTable;
  readonly account_hours: AccountHourTable;
}
