import { architecturePage } from "./architecture-page.ts";
import { cliPage } from "./cli-page.ts";
import { configPage } from "./config-page.ts";
import { errorsPage } from "./errors-page.ts";
import { observabilityPage } from "./observability-page.ts";
import type { Page } from "./page.ts";
import { permissionsPage } from "./permissions-page.ts";

/** Every page that is made from the code, wholly or in part. */
export async function allPages(): Promise<readonly Page[]> {
  return [
    await cliPage(),
    configPage(),
    errorsPage(),
    observabilityPage(),
    permissionsPage(),
    await architecturePage(),
  ];
}
