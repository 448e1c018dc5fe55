import { AdminApiError, expectData, type AdminClient } from "../admin/client.ts";
import type { FoundOpenaiKey, OpenaiKeySearch, SkippedPlace } from "../config/import-openai-key.ts";
import { accountKindOf, ownershipOf } from "../core/keys/ownership.ts";
import { previewProviderKey } from "../core/keys/provider-key.ts";

/** The team's key of today, now the development environment's. */
export interface ImportedKey {
  readonly where: string;
  readonly preview: string;
  /** What its prefix says of the account it belongs to. */
  readonly ownership: "personal" | "organization" | "unknown";
  readonly account: string;
  readonly baseUrl: string | null;
}

export interface KeyImport {
  readonly importedKey: ImportedKey | undefined;
  readonly skippedPlaces: readonly SkippedPlace[];
}

export const NO_IMPORT: KeyImport = { importedKey: undefined, skippedPlaces: [] };

/** Imports what was found, if something was. A key that the admin API refuses is reported as a place that was skipped. */
export async function importFoundKey(
  { found, skipped }: OpenaiKeySearch,
  openClient: () => Promise<AdminClient>,
): Promise<KeyImport> {
  if (found === undefined) return { importedKey: undefined, skippedPlaces: skipped };
  const client = await openClient();
  try {
    return { importedKey: await importOpenaiKey(client, found), skippedPlaces: skipped };
  } catch (err) {
    // Recovered from: this start has made secrets that it alone can show, so a key that the admin API refuses (too
    // short, a base URL that is not allowed) is reported and does not end it.
    if (!(err instanceof AdminApiError)) throw err;
    const refused = { where: found.where, reason: `OPENAI_API_KEY was refused: ${err.message}` };
    return { importedKey: undefined, skippedPlaces: [...skipped, refused] };
  }
}

/**
 * Takes the key that was found into the vault, as the development environment's provider key and never another
 * one's. The account counts as personal unless the key's prefix says that an organization owns it.
 */
async function importOpenaiKey(client: AdminClient, found: FoundOpenaiKey): Promise<ImportedKey> {
  const ownership = accountKindOf(ownershipOf(found).owner) ?? "unknown";
  const isOpenai = found.baseUrl === null || found.baseUrl === OPENAI_BASE_URL;
  const account = expectData(
    await client.POST("/provider-accounts", {
      body: {
        name: isOpenai ? "openai" : "imported",
        provider: isOpenai ? "openai" : "openai-compatible",
        kind: ownership === "organization" ? "organization" : "personal",
        ...(isOpenai || found.baseUrl === null ? {} : { baseUrl: found.baseUrl }),
      },
    }),
  );
  expectData(
    await client.POST("/provider-keys", {
      body: {
        accountId: account.id,
        environment: "development",
        name: `imported from ${found.where}`,
        secret: found.secret,
      },
    }),
  );
  return {
    where: found.where,
    preview: previewProviderKey(found.secret),
    ownership,
    account: account.name,
    baseUrl: isOpenai ? null : found.baseUrl,
  };
}

const OPENAI_BASE_URL = "https://api.openai.com/v1";
