/**
 * Stand-ins on this machine for what Keyward asks elsewhere: an OpenAI organization with its Admin API, and an OpenID
 * Connect provider. They are the ones that the tests use, keep everything in memory, and are never shipped. See
 * CONTRIBUTING.md.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { OpenaiDouble } from "../test/support/openai-double.ts";
import { startCertifiedProvider } from "../test/support/openid-certified.ts";

const USAGE = `npm run rehearse -- [--email <address>] [--keyward <url>]

  --email <address>  who logs in at the identity provider: an address that was invited (anna@example.com)
  --keyward <url>    where Keyward is reached, which is what the identity provider leads back to (http://127.0.0.1:4141)
`;

const values = readArguments();
if (values.help) {
  process.stdout.write(USAGE);
  process.exit();
}

const double = new OpenaiDouble();
const project = double.addProject("app");
const serviceAccount = double.addServiceAccount(project.id, "app");
const { secret } = double.addKey(project.id, serviceAccount.id, "first");
const baseUrl = await serveDouble();

const identity = await startCertifiedProvider();
identity.person = { sub: values.email, email: values.email, email_verified: true };
const callback = new URL("/api/v1/login/oidc/callback", values.keyward);
identity.register(callback.href);

process.stdout.write(`Set these where you start Keyward, and where you type its commands:

  export KEYWARD_ALLOWED_PRIVATE_HOSTS=${new URL(baseUrl).host}
  export KEYWARD_OIDC_ISSUER=${identity.issuer}
  export KEYWARD_OIDC_CLIENT_ID=${identity.clientId} KEYWARD_OIDC_CLIENT_SECRET=${identity.clientSecret}

An OpenAI organization of one project answers at ${baseUrl}. To manage its keys:

  keyward provider-accounts create --name rehearsal --kind organization --base-url ${baseUrl}
  echo ${double.adminKey} | keyward provider-accounts set-admin-key rehearsal --secret-stdin
  echo ${secret} | keyward provider-keys add --account rehearsal --environment staging --secret-stdin
  keyward provider-keys rotate <id> --automatic
  keyward provision openai --environment production --account rehearsal

An OpenID Connect provider logs ${values.email} in without a question, and leads back to ${callback.origin} alone: Keyward
has to be reached there, at just this address (keyward start --port ${callback.port === "" ? "…" : callback.port}; elsewhere than on its own machine, KEYWARD_PUBLIC_URL=${callback.origin}), or
name another with npm run rehearse -- --keyward <url>. Who logs in has to be invited:

  keyward members invite --email ${values.email} --role viewer

Both forget everything when this ends (Control-C).
`);

function readArguments(): { help: boolean; email: string; keyward: string } {
  try {
    const { values: read } = parseArgs({
      options: {
        help: { type: "boolean", default: false },
        email: { type: "string", default: "anna@example.com" },
        keyward: { type: "string", default: "http://127.0.0.1:4141" },
      },
    });
    if (URL.canParse(read.keyward)) return read;
    process.stderr.write(`--keyward takes a URL; got ${JSON.stringify(read.keyward)}\n\n${USAGE}`);
  } catch (error) {
    // What it says of options that there are none of.
    const said = error instanceof TypeError ? error.message : String(error);
    process.stderr.write(`${said}\n\n${USAGE}`);
  }
  return process.exit(2);
}

/** Resolves to its base URL. */
async function serveDouble(): Promise<string> {
  const server = createServer((req, res) => {
    answer(req, res).catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      res.writeHead(400).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { method = "GET", url = "/" } = req;
  const said = await text(req);
  const { status, headers, body } = double.answer({
    method,
    path: url,
    authorization: req.headers.authorization,
    body: said === "" ? undefined : JSON.parse(said),
  });
  res.writeHead(status, { "content-type": "application/json", ...headers });
  res.end(JSON.stringify(body));
}
