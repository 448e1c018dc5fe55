/** As much of `oidc-provider`, which has no types of its own, as test/support/openid-certified.ts uses. */
declare module "oidc-provider" {
  import type { IncomingMessage, ServerResponse } from "node:http";

  export interface Person {
    readonly sub: string;
    readonly [claim: string]: unknown;
  }

  interface Grant {
    addOIDCScope(scope: string): void;
    save(): Promise<string>;
  }

  interface Context {
    readonly oidc: {
      readonly provider: {
        readonly Grant: new (of: { clientId: string; accountId: string }) => Grant;
      };
      readonly session: { readonly accountId: string };
    };
  }

  interface Configuration {
    readonly clients: readonly object[];
    readonly claims: Readonly<Record<string, readonly string[]>>;
    readonly jwks: { readonly keys: readonly object[] };
    /** In seconds. */
    readonly ttl: Readonly<Record<string, number>>;
    readonly pkce: { readonly required: () => boolean };
    readonly features: { readonly devInteractions: { readonly enabled: boolean } };
    readonly interactions: {
      readonly url: (ctx: Context, interaction: { readonly uid: string }) => string;
    };
    readonly findAccount: (
      ctx: Context,
      id: string,
    ) => { readonly accountId: string; readonly claims: () => Person };
    readonly loadExistingGrant: (ctx: Context) => Promise<Grant>;
  }

  export default class OidcProvider {
    constructor(issuer: string, configuration: Configuration);
    callback(): (req: IncomingMessage, res: ServerResponse) => void;
    interactionFinished(
      req: IncomingMessage,
      res: ServerResponse,
      result: { readonly login: { readonly accountId: string } },
    ): Promise<void>;
  }
}
