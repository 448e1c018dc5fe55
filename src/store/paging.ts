/** Keyset page: `cursor` is the opaque `nextCursor` of the page before. Lists are newest first. */
export interface PageRequest {
  /** 1 to MAX_PAGE_SIZE of store.ts. */
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Null on the last page. */
  readonly nextCursor: string | null;
}
