/** An OpenID Connect provider on a loopback port that logs in whom a test names, and can be told to answer wrongly. */
import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface OpenIdPerson {
  readonly sub: string;
  readonly email?: string;
  readonly email_verified?: boolean | string;
  readonly name?: string;
}

/** What it does other than it should. */
export interface OpenIdMischief {
  /** In place of the right claims of the ID token; undefined leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** The ID token is signed with a key that is not in its key set. */
  readonly foreignKey?: boolean;
  readonly algorithmNone?: boolean;
  /** No mischief: the client was registered without a secret, and must send none. */
  readonly isPublicClient?: boolean;
  /** What the token endpoint answers with instead. */
  readonly token?: { readonly status: number; readonly body: string };
  /** In place of the right values of the discovery document. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** The ID token says no more than who it is; the rest is at the userinfo endpoint. */
  readonly thinToken?: boolean;
  readonly userinfo?: Readonly<Record<string, unknown>>;
}

interface Grant {
  readonly person: OpenIdPerson;
  readonly nonce: string;
  readonly challenge: string;
  readonly redirectUri: string;
}

export interface OpenIdDouble {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  mischief: OpenIdMischief;
  /** `method path` of every request, in their order. */
  readonly asked: readonly string[];
  /** What the browser brings back once the person has logged in at the address: `?code=…&state=…`. */
  logIn(url: string, person: OpenIdPerson): string;
  close(): Promise<void>;
}

export async function startOpenIdDouble(): Promise<OpenIdDouble> {
  const double = new Double();
  await double.listen();
  return double;
}

class Double implements OpenIdDouble {
  readonly clientId = "keyward-test";
  readonly clientSecret = randomUUID();
  readonly asked: string[] = [];
  mischief: OpenIdMischief = {};
  issuer = "";
  readonly #server = createServer((req, res) => void this.#answer(req, res));
  readonly #key = generateKeyPairSync("rsa", { modulusLength: 2048 });
  readonly #foreignKey = generateKeyPairSync("rsa", { modulusLength: 2048 });
  readonly #grants = new Map<string, Grant>();
  readonly #people = new Map<string, OpenIdPerson>();

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.issuer = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  logIn(url: string, person: OpenIdPerson): string {
    const { searchParams, origin, pathname } = new URL(url);
    const given = (name: string): string => searchParams.get(name) ?? "";
    const wanted = [`${this.issuer}/authorize`, "code", this.clientId, "S256"];
    const came = [origin + pathname, given("response_type"), given("client_id")];
    if ([...came, given("code_challenge_method")].join(" ") !== wanted.join(" ")) {
      throw new Error(`no request for a login: ${url}`);
    }
    const code = randomUUID();
    this.#grants.set(code, {
      person,
      nonce: given("nonce"),
      challenge: given("code_challenge"),
      redirectUri: given("redirect_uri"),
    });
    return `?${new URLSearchParams({ code, state: given("state") }).toString()}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    this.asked.push(`${req.method} ${req.url}`);
    const [status, body] = await this.#answerTo(req);
    res.writeHead(status, { "content-type": "application/json" });
    res.end(typeof body === "string" ? body : JSON.stringify(body));
  }

  async #answerTo(req: IncomingMessage): Promise<readonly [status: number, body: unknown]> {
    switch (req.url ?? "") {
      case "/.well-known/openid-configuration":
        return [200, { ...this.#metadata(), ...this.mischief.metadata }];
      case "/jwks":
        return [200, { keys: [this.#jwk()] }];
      case "/token":
        return this.#redeem(new URLSearchParams(await text(req)));
      case "/userinfo": {
        const token = (req.headers.authorization ?? "").replace(/^Bearer /, "");
        const person = this.#people.get(token);
        if (person === undefined) return [401, { error: "invalid_token" }];
        return [200, { ...person, ...this.mischief.userinfo }];
      }
      default:
        return [404, {}];
    }
  }

  #metadata(): Readonly<Record<string, unknown>> {
    const { issuer } = this;
    return {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      userinfo_endpoint: `${issuer}/userinfo`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
    };
  }

  #redeem(given: URLSearchParams): readonly [status: number, body: unknown] {
    const { token } = this.mischief;
    if (token !== undefined) return [token.status, token.body];
    const secret = this.mischief.isPublicClient === true ? null : this.clientSecret;
    const isClient =
      given.get("client_id") === this.clientId && given.get("client_secret") === secret;
    if (!isClient) return [401, { error: "invalid_client" }];
    const code = given.get("code") ?? "";
    const grant = this.#grants.get(code);
    // A code works once (RFC 6749, section 4.1.2).
    this.#grants.delete(code);
    const verifier = given.get("code_verifier") ?? "";
    const isRight =
      grant !== undefined &&
      given.get("redirect_uri") === grant.redirectUri &&
      createHash("sha256").update(verifier).digest("base64url") === grant.challenge;
    if (!isRight) return [400, { error: "invalid_grant", error_description: "no such code" }];
    const accessToken = randomUUID();
    this.#people.set(accessToken, grant.person);
    const answer = { access_token: accessToken, token_type: "Bearer", expires_in: 60 };
    return [200, { ...answer, id_token: this.#idToken(grant) }];
  }

  #idToken({ person, nonce }: Grant): string {
    const { claims, foreignKey, algorithmNone, thinToken } = this.mischief;
    const nowSeconds = Math.floor(Date.now() / 1000);
    const payload = {
      iss: this.issuer,
      aud: this.clientId,
      iat: nowSeconds,
      exp: nowSeconds + 300,
      nonce,
      ...(thinToken === true ? { sub: person.sub } : person),
      ...claims,
    };
    if (algorithmNone === true) return `${encode({ alg: "none" })}.${encode(payload)}.`;
    const { privateKey } = foreignKey === true ? this.#foreignKey : this.#key;
    return signed(payload, privateKey);
  }

  #jwk(): object {
    return {
      ...this.#key.publicKey.export({ format: "jwk" }),
      kid: KEY_ID,
      alg: "RS256",
      use: "sig",
    };
  }
}

const KEY_ID = "of-the-double";

function signed(payload: object, key: KeyObject): string {
  const head = `${encode({ alg: "RS256", kid: KEY_ID })}.${encode(payload)}`;
  return `${head}.${sign("sha256", Buffer.from(head), key).toString("base64url")}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
