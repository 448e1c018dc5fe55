import { cliPage } from "./cli-page.ts";
import { configPage } from "./config-page.ts";
import { errorsPage } from "./errors-page.ts";
import type { Page } from "./page.ts";

/** Every generated page of docs/. */
export async function allPages(): Promise<readonly Page[]> {
  return [await cliPage(), configPage(), errorsPage()];
}
