import { UniqueViolationError } from "../store/store.ts";

/**
 * Waits for a write, and gives back the violation when a unique field was taken: an expected outcome, for the handler
 * to put into words. Every other fault is thrown on.
 */
export async function uniqueViolationOf(
  write: Promise<unknown>,
): Promise<UniqueViolationError | undefined> {
  try {
    await write;
    return undefined;
  } catch (error) {
    if (error instanceof UniqueViolationError) return error;
    throw error;
  }
}
