import type { SchemaWords } from "../sql-engine.ts";

/** Every Keyward process that serves or has served lately. */
export function processes({ text, integer, table }: SchemaWords): readonly string[] {
  return [
    `create table processes (
      id ${text} primary key not null,
      data_directory_id ${text} not null,
      host_name ${text} not null,
      pid ${integer} not null,
      version ${text} not null,
      started_at_ms ${integer} not null,
      heartbeat_at_ms ${integer} not null,
      stopped_at_ms ${integer}
    )${table}`,
    `create index processes_running on processes (heartbeat_at_ms)
      where stopped_at_ms is null`,
    `create index processes_stopped on processes (stopped_at_ms)
      where stopped_at_ms is not null`,
  ];
}
