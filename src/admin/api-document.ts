import type { AdminRouter } from "./admin-router.ts";
import { ADMIN_BASE_PATH } from "./base-path.ts";

const SECURITY_SCHEME = "adminToken";

/** The OpenAPI 3.1 document of the routes on a router. Says nothing of the installation it comes from. */
export function createApiDocument(router: AdminRouter) {
  router.openAPIRegistry.registerComponent("securitySchemes", SECURITY_SCHEME, {
    type: "http",
    scheme: "bearer",
    description:
      "An admin token: as `keyward start` prints it once, or of `POST /admin-tokens`. Pages of the server's own send the cookie of a session in its place.",
  });
  return router.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Keyward admin API",
      version: "1",
      description: [
        "Manages projects, environments, provider accounts and keys, gateway keys and customers, and reads usage.",
        "Money is a decimal string in USD, a time is ISO 8601, a list is `{ data, nextCursor }`.",
        "A field or parameter that is not known is refused by name. Errors have the shape of OpenAI's.",
        "Every answer carries `x-keyward-request-id`. There is no CORS: pages of other origins are refused.",
      ].join("\n"),
    },
    servers: [{ url: ADMIN_BASE_PATH }],
    security: [{ [SECURITY_SCHEME]: [] }],
  });
}
