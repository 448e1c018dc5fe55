import type { components } from "../admin/api-types.ts";
import { type AdminClient, expectData } from "../admin/client.ts";
import { CliError } from "./cli-error.ts";

type ProviderAccount = components["schemas"]["ProviderAccount"];

const PAGE_SIZE = 1000;

/** By its name or its id. Throws CliError when there is none. */
export async function findAccountByName(
  client: AdminClient,
  name: string,
): Promise<ProviderAccount> {
  let cursor: string | null = null;
  do {
    const query: { limit: number; cursor?: string } = { limit: PAGE_SIZE };
    if (cursor !== null) query.cursor = cursor;
    const page = expectData(await client.GET("/provider-accounts", { params: { query } }));
    const found = page.data.find((account) => account.id === name || account.name === name);
    if (found !== undefined) return found;
    cursor = page.nextCursor;
  } while (cursor !== null);
  throw new CliError(`there is no provider account ${name}`, {
    advice: "keyward provider-accounts list",
  });
}
