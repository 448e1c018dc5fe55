import { OpenAPIHono } from "@hono/zod-openapi";
import type { AdminEnv } from "./admin-deps.ts";
import { refuseProblems } from "./answers/refusal.ts";
import { problemsOf } from "./fields/issue-problems.ts";

/** What the route files register themselves on. */
export type AdminRouter = OpenAPIHono<AdminEnv>;

/** A router whose schemas answer with every mistake at once. */
export function createAdminRouter(): AdminRouter {
  return new OpenAPIHono<AdminEnv>({
    defaultHook: (result, context) =>
      result.success ? undefined : refuseProblems(context, problemsOf(result.error)),
  });
}
