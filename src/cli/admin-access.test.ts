import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { cliUnderTest } from "../../test/support/cli-under-test.ts";
import type { CliRun } from "../../test/support/run-cli-here.ts";

const cli = cliUnderTest();
const TOKEN = "t".repeat(24);

/** Runs `projects list` against a server that answers as told. */
async function listFrom(
  listener: RequestListener,
  options: { path?: string; env?: Record<string, string>; words?: readonly string[] } = {},
): Promise<CliRun & { url: string }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const {
      path = "",
      words = ["--url", url + path],
      env = { KEYWARD_ADMIN_TOKEN: TOKEN },
    } = options;
    return { url, ...(await cli.run(["projects", "list", ...words], { env })) };
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
}

const emptyList: RequestListener = (_, res) => {
  res.setHeader("content-type", "application/json");
  res.end('{"data":[],"nextCursor":null}');
};

test.each(["", "/", "/v1", "/api/v1/", "?x=1"])(
  "a URL that ends in %j leads to the admin API, with the token of the environment",
  async (path) => {
    let seen: unknown;
    const answer: RequestListener = (req, res) => {
      seen = [req.url, req.headers.authorization];
      emptyList(req, res);
    };
    expect(await listFrom(answer, { path })).toMatchObject({ code: 0 });
    expect(seen).toEqual(["/api/v1/projects?limit=50", `Bearer ${TOKEN}`]);
  },
);

test("an error's own words are shown, and what to do about a token that is refused", async () => {
  const { code, stderr } = await listFrom((_, res) => {
    res.writeHead(401, { "content-type": "application/json" });
    res.end('{"error":{"message":"No such token.","code":"invalid_admin_token","param":null}}');
  });
  expect(code).toBe(1);
  expect(stderr).toContain("error: No such token.");
  expect(stderr).toContain("KEYWARD_ADMIN_TOKEN");
  expect(stderr).not.toContain(TOKEN);
});

test("a page of something else is no fault of Keyward's", async () => {
  const { code, stderr } = await listFrom((_, res) => {
    res.setHeader("content-type", "text/html");
    res.end("<h1>Welcome</h1>");
  });
  expect(code).toBe(1);
  expect(stderr).toContain("is no Keyward");
  expect(stderr).not.toContain("    at ");
});

test("the token follows no redirect", async () => {
  let calls = 0;
  const { code, stderr } = await listFrom((_, res) => {
    calls += 1;
    res.writeHead(302, { location: "http://elsewhere.test/api/v1/projects" }).end();
  });
  expect({ code, calls }).toEqual({ code: 1, calls: 1 });
  expect(stderr).toContain("sends on to http://elsewhere.test");
});

test("a name of a customer cannot forge a line of an error", async () => {
  const { stderr } = await listFrom((_, res) => {
    res.writeHead(400, { "content-type": "application/json" });
    res.end(JSON.stringify({ error: { message: "bad\u001b[2J\nerror: forged" } }));
  });
  expect(stderr).toBe("error: bad\\u{1b}[2J\\u{a}error: forged\n");
});

test("no token, two places, a password in the URL and no URL are each refused with a way out", async () => {
  expect(await refused("--url", "http://127.0.0.1:1")).toContain("KEYWARD_ADMIN_TOKEN");
  expect(await refused("--url", "http://127.0.0.1:1", "--data-dir", "x")).toContain(
    "two different",
  );
  const withPassword = await refused("--url", "http://me:hunter2@127.0.0.1:1", "--token", "t");
  expect(withPassword).not.toContain("hunter2");
  expect(await refused("--url", "localhost:4141", "--token", "t")).toContain(
    "http://127.0.0.1:4141",
  );
});

async function refused(...words: string[]): Promise<string> {
  const { code, stderr } = await listFrom(emptyList, { words, env: {} });
  expect(code).not.toBe(0);
  return stderr;
}

test("KEYWARD_URL leads elsewhere unless a data directory is named", async () => {
  const env = { KEYWARD_URL: "http://127.0.0.1:1", KEYWARD_ADMIN_TOKEN: TOKEN };
  await cli.install();
  expect(await cli.run(["projects", "list"], { env })).toMatchObject({ code: 1 });
  const here = ["projects", "list", "--data-dir", cli.dataDir];
  expect(await cli.run(here, { env })).toMatchObject({ code: 0 });
});

test("a leak is reported to any server without a token, and one that is at hand is not sent", async () => {
  const seen: unknown[] = [];
  const server = createServer((req, res) => {
    seen.push([req.url, req.headers.authorization]);
    res.writeHead(202, { "content-type": "application/json" }).end('{"received":1}');
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const words = ["leaks", "report", "--secret-stdin", "--url", url];
  try {
    for (const env of [{}, { KEYWARD_ADMIN_TOKEN: TOKEN }]) {
      expect(await cli.run(words, { env, stdin: "found" })).toMatchObject({ code: 0 });
    }
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
  expect(seen).toEqual([
    ["/api/v1/leaks", undefined],
    ["/api/v1/leaks", undefined],
  ]);
});
