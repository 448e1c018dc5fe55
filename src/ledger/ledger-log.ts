/** What the ledger asks of a log; a pino logger is one. Never a prompt, an answer or a secret in the fields. */
export interface LedgerLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}
