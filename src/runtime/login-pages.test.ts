import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { adminUnderTest } from "../../test/support/admin-under-test.ts";
import { launchBrowser } from "../../test/support/browser.ts";
import {
  type CertifiedProvider,
  startCertifiedProvider,
} from "../../test/support/openid-certified.ts";
import { type ServedHandler, serveHandler } from "../../test/support/serve-handler.ts";
import { createTokenAuthenticator } from "../admin/authenticator.ts";
import { ADMIN_BASE_PATH } from "../admin/base-path.ts";
import { CALLBACK_PATH } from "../admin/routes/identity-login.ts";
import { createAdminServer } from "../admin/server.ts";
import type { HttpHandler } from "../proxy/http/handler.ts";
import { createFetchHandler } from "./fetch-handler.ts";
import { createFrontDoor } from "./front-door.ts";
import { createLoginPages } from "./login-pages.ts";
import { OpenIdProvider } from "./oidc/openid-provider.ts";

const PASSWORD = "correct horse battery";

function failTest(err: unknown): never {
  throw err;
}

describe("the pages that let people in", { timeout: 120_000 }, () => {
  const admin = adminUnderTest();
  let browser: Browser;
  let provider: CertifiedProvider;
  let server: ServedHandler;
  let handler: HttpHandler;
  let context: BrowserContext;
  let page: Page;
  /** What the browser complained of: a policy that was broken, a script that failed. */
  let complaints: string[];

  beforeAll(async () => {
    browser = await launchBrowser();
    provider = await startCertifiedProvider();
    server = await serveHandler((request, reply) => handler(request, reply));
    provider.register(server.url + CALLBACK_PATH);
  });
  afterAll(async () => {
    await browser.close();
    await provider.close();
    await server.close();
  });
  beforeEach(async () => {
    handler = frontDoorAt(server.url);
    complaints = [];
    context = await browser.newContext();
    page = await context.newPage();
    page.on("console", (message) => {
      // A refusal of ours is an answer, and no complaint.
      const isAnswer = message.text().startsWith("Failed to load resource");
      if (message.type() === "error" && !isAnswer) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
  });
  afterEach(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });

  function frontDoorAt(url: string): HttpHandler {
    const { issuer, clientId, clientSecret } = provider;
    const settings = { name: "Example & Co", issuer, clientId, clientSecret };
    const app = admin.appWith({
      serverInfo: { ...admin.deps.serverInfo, urls: [url] },
      identityProvider: new OpenIdProvider(settings),
      authenticator: createTokenAuthenticator({
        ...admin.store.access,
        adminTokens: admin.store.adminTokens,
        nowMs: () => admin.nowMs,
      }),
    });
    return createFrontDoor({
      admin: {
        basePath: ADMIN_BASE_PATH,
        handler: createFetchHandler({
          ...createAdminServer(() => Promise.resolve(app)),
          onFault: failTest,
        }),
      },
      metrics: failTest,
      loginPages: createLoginPages({ oidcIssuer: issuer, oidcName: settings.name }),
      version: "1",
      isReady: () => Promise.resolve(true),
    });
  }
  async function invite(email: string): Promise<string> {
    const { body } = await admin.post("/invitations", { email, role: "viewer" });
    return (body as { link: string }).link.split("#")[1] ?? "";
  }
  const said = () => page.getByRole("alert").innerText();
  const focused = () => page.evaluate("document.activeElement.id");

  it("let somebody join by a link, whose secret leaves the address bar, and log out", async () => {
    const secret = await invite("anna@example.com");
    await page.goto(`${server.url}/join#${secret}`);
    expect(page.url()).toBe(`${server.url}/join`);
    await page.getByLabel("New password").fill("too short");
    await page.getByRole("button", { name: "Join", exact: true }).click();
    // The browser itself says what is wrong, and sends nothing.
    expect(await page.locator("#password:invalid").count()).toBe(1);
    await page.getByLabel("New password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByText("You have joined").waitFor();
    expect(await page.locator("#who").innerText()).toBe("anna@example.com");
    const cookies = await context.cookies();
    expect(cookies.find(({ name }) => name === "keyward_session")).toMatchObject({
      httpOnly: true,
      sameSite: "Lax",
    });
    expect(await page.evaluate("document.cookie")).toBe("");
    // A reload, and the address of the link, say who is logged in and not that something failed.
    await page.reload();
    await page.getByText("You are logged in as").waitFor();
    expect(page.url()).toBe(`${server.url}/login`);
    await page.goto(`${server.url}/join`);
    await page.getByText("You are logged in as").waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
    await page.getByRole("button", { name: "Log out", exact: true }).click();
    await page.getByRole("button", { name: "Log in", exact: true }).waitFor();
    expect(page.url()).toBe(`${server.url}/login`);
    expect((await context.cookies()).map(({ name }) => name)).not.toContain("keyward_session");
    await page.goto(`${server.url}/join#${secret}`);
    // A reload does not lose the link.
    await page.reload();
    expect(page.url()).toBe(`${server.url}/join`);
    await page.getByLabel("New password").fill(PASSWORD);
    await page.getByRole("button", { name: "Join", exact: true }).click();
    await page.getByText("was used or revoked").waitFor();
    await page.goto(`${server.url}/join`);
    expect(await said()).toContain("The link is not whole");
    expect(await page.locator("form").count()).toBe(0);
    await page.getByRole("link", { name: "Log in" }).click();
    await page.waitForURL(`${server.url}/login`);
  });

  it("let somebody set a new password by a link, and log out everywhere", async () => {
    const joined = await admin.post("/invitations/accept", {
      secret: await invite("anna@example.com"),
      password: PASSWORD,
    });
    const { id } = joined.body as { id: string };
    const { link } = (await admin.post(`/members/${id}/password-reset`)).body as { link: string };
    const secret = link.split("#")[1];
    await page.goto(`${server.url}/reset#${secret}`);
    expect(page.url()).toBe(`${server.url}/reset`);
    await page.getByLabel("New password").fill(`${PASSWORD}, another`);
    await page.keyboard.press("Enter");
    await page.getByText("Your password is set").waitFor();
    expect(await page.locator("#who").innerText()).toBe("anna@example.com");
    await page.getByRole("button", { name: "Log out everywhere" }).click();
    await page.getByRole("button", { name: "Log in", exact: true }).waitFor();
    expect(await admin.store.access.sessions.listOf(id as never)).toEqual([]);
    await page.goto(`${server.url}/reset#${secret}`);
    await page.getByLabel("New password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByText("was used or revoked").waitFor();
  });

  it("log somebody in by a password, and say what is wrong as text, where it is heard", async () => {
    const secret = await invite("anna@example.com");
    await admin.post("/invitations/accept", { secret, password: PASSWORD });
    await page.goto(`${server.url}/login`);
    await page.getByLabel("E-mail").fill("anna@example.com");
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await page.getByText("is wrong").waitFor();
    expect(await said()).toBe("The e-mail or the password is wrong.");
    expect(await focused()).toBe("said");
    await page.getByLabel("E-mail").fill("<img/src=x>@example.com");
    await page.keyboard.press("Enter");
    await page.getByText("is wrong").waitFor();
    await page.getByLabel("E-mail").fill("anna@example.com");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByText("You are logged in as").waitFor();
    expect(await page.locator("#who").innerText()).toBe("anna@example.com");
    await context.setOffline(true);
    await page.getByRole("button", { name: "Log out", exact: true }).click();
    await page.getByText("The server did not answer").waitFor();
  });

  it("log somebody in at an identity provider, and come back from it", async () => {
    provider.person = { sub: "ben-1", email: "ben@example.com" };
    await page.goto(`${server.url}/join#${await invite("ben@example.com")}`);
    await page.getByRole("button", { name: "Join with Example & Co" }).click();
    await page.waitForURL(`${server.url}/login`);
    await page.getByText("You are logged in as").waitFor();
    expect(await page.locator("#who").innerText()).toBe("ben@example.com");
    const names = (await context.cookies(`${server.url}/api/v1/login`)).map(({ name }) => name);
    expect(names.toSorted()).toEqual(["keyward_device", "keyward_session"]);
    await page.getByRole("button", { name: "Log out", exact: true }).click();
    await page.getByRole("button", { name: "Log in with Example & Co" }).waitFor();
    // Its own session still knows who was there: another browser has none.
    await context.clearCookies();
    provider.person = { sub: "eve-1", email: "<b>eve</b>@example.com", email_verified: true };
    await page.getByRole("button", { name: "Log in with Example & Co" }).click();
    await page.waitForURL("**/callback?**");
    expect(await page.title()).toBe("You are not logged in · Keyward");
    expect(await said()).toContain("<b>eve</b>@example.com is no member");
    // The same again does nothing: what the browser had for it is gone.
    await page.reload();
    expect(await said()).toContain("was not begun in this browser");
    await page.getByRole("link", { name: "Log in again" }).click();
    await page.waitForURL(`${server.url}/login`);
  });
});
