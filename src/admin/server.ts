import type { RequestListener } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { createErrorBody } from "../wire/openai/error-body.ts";
import type { AdminApp } from "./admin-app.ts";

/**
 * The admin API as a listener for `node:http`, to be mounted for `/api/v1/*`. Refuses an app that lets everybody in:
 * that one is for calls inside the process only.
 */
export function createAdminListener(app: AdminApp): RequestListener {
  if (!app.checksTokens) {
    throw new Error("an admin app that checks no token must not be reachable over HTTP");
  }
  const listener = getRequestListener(app.fetch, {
    // The globals belong to the whole process, the data plane included.
    overrideGlobalObjects: false,
    // Only what is no HTTP request comes here (a host that is no host): the app answers all the rest itself.
    errorHandler: () =>
      Response.json(
        createErrorBody("invalid_header", "The request's URL or `host` header is malformed."),
        { status: 400 },
      ),
  });
  return (request, response) => void listener(request, response);
}
