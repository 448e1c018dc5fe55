/** A real Chromium, which comes with a package. */
import bundled from "@sparticuz/chromium";
import { type Browser, chromium } from "playwright-core";

/**
 * Launched once for a file of tests. Not with the package's own arguments: they turn off what pages are protected by. No
 * sandbox, since tests run as root in containers; the pages are ours.
 */
export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: await bundled.executablePath(),
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
}
