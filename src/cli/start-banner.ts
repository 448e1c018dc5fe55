import type { Config } from "../config/config-schema.ts";
import { isLoopback } from "../core/network/loopback.ts";
import { counted } from "../core/text/counted.ts";
import type { FirstRun } from "../runtime/first-run.ts";
import type { StartReport } from "../runtime/start-report.ts";
import type { CliIo } from "./cli-io.ts";
import { tellFirstSecrets } from "./first-secrets.ts";
import { formatTime } from "./format-cells.ts";
import type { Output } from "./output.ts";

/**
 * What a start says. The secrets of the first start stand here, or in the file that it names, and nowhere else, this once; all of it is
 * for a person to read and to paste from.
 */
export function printStartBanner(keyward: StartReport, config: Settings, said: Said): void {
  said.output.together(() => printParts(keyward, config, said));
}

type Settings = Pick<Config, "dataDir" | "host" | "firstSecrets">;

interface Said {
  readonly io: Pick<CliIo, "isOutputKept">;
  readonly output: Output;
}

function printParts(keyward: StartReport, config: Settings, { io, output }: Said): void {
  const { url, storeKind, firstRun } = keyward;
  output.line(`Keyward is running at ${url}`);
  output.line();
  output.facts([
    ["for apps", `${url}/v1`],
    ["admin API", `${url}/api/v1`],
    ["data", `${config.dataDir} (${storeKind})`],
    ...keyward.environments.map(
      (environment) => [environment.name, describe(environment)] as const,
    ),
  ]);
  printRecovery(keyward, output);
  printUnimportedKey(keyward, output);
  if (!isLoopback(config.host)) {
    output.warn(
      `${config.host} is reachable from other machines, without encryption: put TLS in front`,
    );
  }
  if (firstRun !== undefined) printImport(keyward, output);
  const secrets = firstRun === undefined ? [] : firstRunLines({ url, ...firstRun });
  tellFirstSecrets([...secrets, ...newOwnerLink(keyward)], config, { io, output });
  printOpenOffer(keyward, output);
}

function describe(environment: StartReport["environments"][number]): string {
  const { providerKeys, refusedKeys, simulatorKeys, isSimulated } = environment;
  if (providerKeys > 0) {
    const refused = refusedKeys === 0 ? "" : `; ${refusedKeys} shut out by its policy`;
    const made =
      simulatorKeys === 0 ? "" : `; ${simulatorKeys} of the simulator, which makes answers up`;
    return `provider keys: ${providerKeys}${refused}${made}`;
  }
  return isSimulated
    ? "no provider key: the built-in simulator answers"
    : "no provider key: calls are refused until `keyward provider-keys add` gives it one";
}

function printRecovery({ recovery }: StartReport, output: Output): void {
  const { settledEvents, unknownEvents, corruptLines } = recovery;
  if (settledEvents + unknownEvents > 0) {
    output.line();
    const total = settledEvents + unknownEvents;
    output.line(
      `recovered ${counted(total, "call")} of a process that had ended; the outcome of ${unknownEvents} is unknown`,
    );
  }
  if (corruptLines > 0) {
    output.warn(
      `${counted(corruptLines, "line")} of its journal could not be read, and kept beside it`,
    );
  }
}

function printUnimportedKey({ unimportedKey }: StartReport, output: Output): void {
  if (unimportedKey === undefined) return;
  const { preview, where, hasBaseUrl } = unimportedKey;
  const server = hasBaseUrl ? " --provider openai-compatible --base-url <url>" : "";
  // Of the files the client reads nothing: there the secret is asked for.
  const source = where.startsWith(".") ? "" : " --secret-env OPENAI_API_KEY";
  output.line();
  output.line(`found ${preview} in ${where}, not taken in; to use it:`);
  output.line(
    `  keyward provider-accounts create --name <account> --kind <personal|organization>${server}`,
  );
  output.line(`  keyward provider-keys add --account <account> --environment development${source}`);
}

const OWNERS = {
  personal: "it seems to belong to a person",
  organization: "it seems to belong to an organization",
  unknown:
    "whether it is a personal or an organization's account cannot be told from the key; it is kept as personal",
} as const;

function printImport({ importedKey, skippedPlaces }: StartReport, output: Output): void {
  if (skippedPlaces.length > 0 || importedKey !== undefined) output.line();
  for (const { where, reason } of skippedPlaces) output.line(`passed over in ${where}: ${reason}`);
  if (importedKey === undefined) return;
  const { preview, where, ownership, account, baseUrl } = importedKey;
  output.line(
    `found ${preview} in ${where}: it is now in the vault, as the provider key of development`,
  );
  output.line(
    `  account ${account}${baseUrl === null ? "" : ` at ${baseUrl}`}; ${OWNERS[ownership]}`,
  );
}

function newOwnerLink({ ownerOffer }: StartReport): readonly string[] {
  if (ownerOffer?.isNew !== true) return [];
  const until = formatUntil(ownerOffer);
  return [
    "",
    `To be the first owner, in a browser (works once, until ${until}; shown this once):`,
    "",
    ownerOffer.link,
  ];
}

function printOpenOffer({ ownerOffer }: StartReport, output: Output): void {
  if (ownerOffer?.isNew !== false) return;
  output.line();
  output.line(
    `There is no owner yet: the link that was made before works until ${formatUntil(ownerOffer)}; \`keyward owner-link\` makes another.`,
  );
}

function formatUntil({ expiresAtMs }: { readonly expiresAtMs: number }): string {
  return formatTime(new Date(expiresAtMs).toISOString());
}

function firstRunLines({
  url,
  gatewayKey,
  adminToken,
}: FirstRun & { readonly url: string }): readonly string[] {
  const body = '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello"}]}';
  return [
    "",
    "For your app, in .env.local (shown this once):",
    "",
    `OPENAI_BASE_URL=${url}/v1`,
    `OPENAI_API_KEY=${gatewayKey}`,
    "",
    "To administer, with --url from elsewhere (shown this once):",
    "",
    `KEYWARD_ADMIN_TOKEN=${adminToken}`,
    "",
    "Try it with curl:",
    "",
    `curl ${url}/v1/chat/completions \\`,
    `  -H "authorization: Bearer ${gatewayKey}" \\`,
    '  -H "content-type: application/json" \\',
    `  -d '${body}'`,
    "",
    "or with Node:",
    "",
    "node --input-type=module <<'EOF'",
    `const answer = await fetch("${url}/v1/chat/completions", {`,
    '  method: "POST",',
    `  headers: { authorization: "Bearer ${gatewayKey}", "content-type": "application/json" },`,
    `  body: JSON.stringify(${body}),`,
    "});",
    "console.log((await answer.json()).choices[0].message.content);",
    "EOF",
    "",
    "Then see what it cost:  keyward usage events",
  ];
}
