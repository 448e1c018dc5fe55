/** `oidc-provider`, a certified OpenID Connect provider, on a loopback port: for how the real ones do it. */
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import OidcProvider, { type Person } from "oidc-provider";

const SIGNING_KEY = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({
  format: "jwk",
});

export interface CertifiedProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Whom it logs in, at once and without a question. */
  person: Person;
  /** What it is told of the client: the one place that it sends browsers back to. */
  register(redirectUri: string): void;
  close(): Promise<void>;
}

/** Under the name `localhost`: to a browser another site than 127.0.0.1, as every provider is. */
export async function startCertifiedProvider(): Promise<CertifiedProvider> {
  let answer: ((req: IncomingMessage, res: ServerResponse) => void) | undefined;
  const server = createServer((req, res) => answer?.(req, res));
  server.listen(0, "localhost");
  await once(server, "listening");
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
  const client = { client_id: "keyward", client_secret: "s".repeat(43) };
  const running: CertifiedProvider = {
    issuer,
    clientId: client.client_id,
    clientSecret: client.client_secret,
    person: { sub: "nobody" },
    register: (redirectUri) => {
      const provider = createProvider(redirectUri);
      const callback = provider.callback();
      answer = (req, res) => {
        if (req.url?.startsWith("/interaction/") !== true) callback(req, res);
        else {
          const login = { accountId: running.person.sub };
          void provider.interactionFinished(req, res, { login });
        }
      };
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };

  function createProvider(redirectUri: string): OidcProvider {
    return new OidcProvider(issuer, {
      clients: [
        {
          ...client,
          redirect_uris: [redirectUri],
          token_endpoint_auth_method: "client_secret_post",
        },
      ],
      claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
      jwks: { keys: [{ ...SIGNING_KEY, use: "sig", alg: "RS256" }] },
      ttl: { Interaction: 60, Grant: 60, Session: 60, AccessToken: 60, IdToken: 60 },
      pkce: { required: () => true },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
      findAccount: (_ctx, accountId) => ({ accountId, claims: () => running.person }),
      // The person has agreed to everything before.
      loadExistingGrant: async (ctx) => {
        const { Grant } = ctx.oidc.provider;
        const { accountId } = ctx.oidc.session;
        const grant = new Grant({ clientId: client.client_id, accountId });
        grant.addOIDCScope("openid email profile");
        await grant.save();
        return grant;
      },
    });
  }
  return running;
}
