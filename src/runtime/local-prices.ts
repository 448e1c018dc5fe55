import { Hono } from "hono";
import type { AdminEnv } from "../admin/admin-deps.ts";
import { createAdminRouter } from "../admin/admin-router.ts";
import { createFaultHandler } from "../admin/answers/fault-answer.ts";
import { ADMIN_BASE_PATH } from "../admin/base-path.ts";
import { type AdminClient, createAdminClient } from "../admin/client.ts";
import { readJsonBody } from "../admin/guards/json-body.ts";
import { registerPrices } from "../admin/routes/prices.ts";
import { BUILT_IN_PRICE_LIST } from "../core/pricing/built-in-price-list.ts";
import { createPriceBook } from "../core/pricing/create-price-book.ts";
import { simulatorProvider } from "../providers/simulator/simulator-provider.ts";

/**
 * The price routes of the admin API, in process: the price book ships with Keyward, so that prices and estimates are
 * there before anything was started. The same routes as a server's, without its store.
 */
export function openLocalPrices(): { client: AdminClient; close(): Promise<void> } {
  const priceBook = createPriceBook(BUILT_IN_PRICE_LIST, {
    freeProviders: [simulatorProvider.name],
  });
  const router = createAdminRouter();
  registerPrices(router, { priceBook, clock: { nowMs: () => Date.now() } });
  const app = new Hono<AdminEnv>();
  app.onError(createFaultHandler(undefined));
  app.use(readJsonBody);
  app.route(ADMIN_BASE_PATH, router);
  const client = createAdminClient({
    baseUrl: "http://keyward.local",
    fetch: async (request) => app.fetch(request),
  });
  return { client, close: () => Promise.resolve() };
}
