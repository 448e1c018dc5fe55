import { configPage } from "./config-page.ts";
import { errorsPage } from "./errors-page.ts";
import type { Page } from "./page.ts";

/** Every generated page of docs/. */
export function allPages(): readonly Page[] {
  return [configPage(), errorsPage()];
}
