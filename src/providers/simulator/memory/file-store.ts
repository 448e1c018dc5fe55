import { BoundedStore } from "./bounded-store.ts";

export interface StoredFile {
  readonly id: string;
  readonly filename: string;
  readonly purpose: string;
  readonly bytes: number;
  readonly createdAtSeconds: number;
  /** Null of a file that is too large to be kept. */
  readonly content: Buffer | null;
}

/** A file with more is counted and hashed, and its content is not kept. */
export const MAX_KEPT_FILE_BYTES = 16 * 1024 * 1024;
/** About what a file takes in memory, apart from its content. */
const FILE_BYTES = 512;

export class FileStore extends BoundedStore<StoredFile> {
  constructor() {
    super({ maxItems: 500, maxBytes: 64 * 1024 * 1024 });
  }

  keep(file: StoredFile): void {
    this.put(file.id, file, FILE_BYTES + (file.content?.length ?? 0));
  }
}
