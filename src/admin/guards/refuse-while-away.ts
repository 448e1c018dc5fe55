import type { MiddlewareHandler } from "hono";
import { KeywardError } from "../../core/errors/keyward-error.ts";
import type { AdminEnv } from "../admin-deps.ts";
import type { StoreWatch } from "../store-watch.ts";

/**
 * Lets no request wait for a store that keeps silent, also one that was asked just before. A store that is slow and
 * answers may take its time: a long export is no fault.
 */
export function refuseWhileAway(
  watch: StoreWatch | undefined,
  openPath: string,
): MiddlewareHandler<AdminEnv> {
  return async (context, next) => {
    if (watch === undefined || context.req.path === openPath) return next();
    if (watch.isAway()) throw storeIsAway();
    const silence = Promise.withResolvers<never>();
    const forget = watch.onAway(() => silence.reject(storeIsAway()));
    try {
      await Promise.race([next(), silence.promise]);
    } finally {
      forget();
    }
  };
}

/** For whoever asked while the store is away. */
export function storeIsAway(): KeywardError {
  return new KeywardError(
    "store_unavailable",
    "The database does not answer. A change that was asked for may have been made all the same. Try again shortly.",
  );
}
