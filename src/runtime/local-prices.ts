import { existsSync } from "node:fs";
import { Hono } from "hono";
import type { AdminEnv } from "../admin/admin-deps.ts";
import { createAdminRouter } from "../admin/admin-router.ts";
import { createFaultHandler } from "../admin/answers/fault-answer.ts";
import { ADMIN_BASE_PATH } from "../admin/base-path.ts";
import { type AdminClient, createAdminClient } from "../admin/client.ts";
import { readJsonBody } from "../admin/guards/json-body.ts";
import { registerPrices } from "../admin/routes/prices.ts";
import type { Config } from "../config/config-schema.ts";
import { BUILT_IN_PRICE_LIST } from "../core/pricing/built-in-price-list.ts";
import { createPriceBook } from "../core/pricing/create-price-book.ts";
import type { OverridablePriceBook } from "../core/pricing/overridable-price-book.ts";
import { simulatorProvider } from "../providers/simulator/simulator-provider.ts";
import { loadPriceOverrides } from "../store/load-price-overrides.ts";
import { databasePath } from "./data-directory.ts";
import { openStore } from "./open-store.ts";

type Location = Pick<Config, "dataDir" | "databaseUrl">;

/**
 * The price routes of the admin API, in process: the price book ships with Keyward, so that prices and estimates are
 * there before anything was started. Where there is an installation its overrides hold, so that an estimate says what
 * its server will charge. Throws StartError.
 */
export async function openLocalPrices(
  location: Location,
): Promise<{ client: AdminClient; close(): Promise<void> }> {
  const priceBook = createPriceBook(BUILT_IN_PRICE_LIST, {
    freeProviders: [simulatorProvider.name],
  });
  await takeOverrides(location, priceBook);
  const router = createAdminRouter();
  registerPrices(router, { priceBook, clock: { nowMs: () => Date.now() } });
  const app = new Hono<AdminEnv>();
  app.onError(createFaultHandler({}));
  app.use(readJsonBody);
  app.route(ADMIN_BASE_PATH, router);
  const client = createAdminClient({
    baseUrl: "http://keyward.local",
    fetch: async (request) => app.fetch(request),
  });
  return { client, close: () => Promise.resolve() };
}

async function takeOverrides(location: Location, priceBook: OverridablePriceBook): Promise<void> {
  const { dataDir, databaseUrl } = location;
  // SQLite would make a file that is not there.
  if (databaseUrl === null && !existsSync(databasePath({ dataDir }))) return;
  const store = await openStore(location, { isForCommand: true });
  try {
    // A database of an older Keyward is brought up to date by a start; the overrides it has are read after that.
    if ((await store.currentSchema()) !== store.supportedSchema) return;
    await loadPriceOverrides({ store, priceBook });
  } finally {
    await store.close();
  }
}
