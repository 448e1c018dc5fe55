import type { AdminDeps } from "./admin-deps.ts";

/** How people reach this server, without a slash at its end: as the settings say, else where it runs, else as it was asked. */
export function ownUrl(
  { publicUrl, serverInfo }: Pick<AdminDeps, "publicUrl" | "serverInfo">,
  requestUrl: string,
): string {
  const url = publicUrl ?? serverInfo.urls[0] ?? new URL(requestUrl).origin;
  return url.replace(/\/+$/, "");
}
