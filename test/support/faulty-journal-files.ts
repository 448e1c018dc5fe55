import {
  type JournalFile,
  type JournalFiles,
  nodeJournalFiles,
} from "../../src/ledger/file/journal-files.ts";

export type JournalOperation =
  | "create"
  | "write"
  | "truncate"
  | "syncData"
  | "close"
  | "remove"
  | "syncDirectory";

/** A real file system that fails when it is told to. */
export class FaultyJournalFiles implements JournalFiles {
  readonly calls: JournalOperation[] = [];
  /** The error code that an operation shall fail with; asked at every call. */
  faultOf: (operation: JournalOperation) => string | undefined = () => undefined;
  /** How many bytes a write that fails takes before, as a disk does that fills up. */
  bytesBeforeFault = 0;

  async create(path: string): Promise<JournalFile> {
    this.#enter("create");
    const file = await nodeJournalFiles.create(path);
    return {
      write: (bytes, position) => this.#write(file, bytes, position),
      truncate: async (length) => {
        this.#enter("truncate");
        await file.truncate(length);
      },
      syncData: async () => {
        this.#enter("syncData");
        await file.syncData();
      },
      close: async () => {
        await file.close();
        this.#enter("close");
      },
    };
  }

  async remove(path: string): Promise<void> {
    this.#enter("remove");
    await nodeJournalFiles.remove(path);
  }

  async syncDirectory(path: string): Promise<void> {
    this.#enter("syncDirectory");
    await nodeJournalFiles.syncDirectory(path);
  }

  #write(file: JournalFile, bytes: Buffer, position: number): number {
    this.calls.push("write");
    const code = this.faultOf("write");
    if (code === undefined) return file.write(bytes, position);
    const taken = Math.min(this.bytesBeforeFault, bytes.length - 1);
    if (taken > 0) file.write(bytes.subarray(0, taken), position);
    throw faultWith(code);
  }

  #enter(operation: JournalOperation): void {
    this.calls.push(operation);
    const code = this.faultOf(operation);
    if (code !== undefined) throw faultWith(code);
  }
}

function faultWith(code: string): Error {
  return Object.assign(new Error(`${code}: as the test wanted`), { code });
}
