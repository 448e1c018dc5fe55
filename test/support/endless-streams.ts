import { Agent, request } from "undici";
import { type AdminClient, expectData } from "../../src/admin/client.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

const CHUNK_PAUSE_MS = 20;

/** A provider whose streams end only when they are cut. */
export async function startEndlessUpstream(): Promise<Upstream> {
  const chunk = JSON.stringify({
    id: "c",
    model: "gpt-4o-mini",
    choices: [{ index: 0, delta: { content: "word " } }],
  });
  return startUpstream((_req, res) => {
    res.writeHead(200, { "content-type": "text/event-stream" });
    const timer = setInterval(() => res.write(`data: ${chunk}\n\n`), CHUNK_PAUSE_MS);
    res.on("close", () => clearInterval(timer));
  });
}

/** Development's calls go to it, by an account and a key of this name. */
export async function sendDevelopmentTo(
  admin: AdminClient,
  upstream: Pick<Upstream, "url">,
  name = "endless",
): Promise<void> {
  const account = expectData(
    await admin.POST("/provider-accounts", {
      body: {
        name,
        provider: "openai",
        kind: "organization",
        baseUrl: `${upstream.url}/v1`,
      },
    }),
  );
  const secret = ["sk", name, "e".repeat(20)].join("-");
  const key = { accountId: account.id, environment: "development", name, secret };
  expectData(await admin.POST("/provider-keys", { body: key }));
}

export interface OpenStreams {
  /** Resolves when every stream has been cut, with the times (performance.now) of the last bytes of each. */
  readonly ended: Promise<readonly number[]>;
  close(): Promise<void>;
}

/** Streams that have begun, each on a connection of its own. */
export async function openStreams(url: string, key: string, count: number): Promise<OpenStreams> {
  const agents = Array.from({ length: count }, () => new Agent({ connections: 1 }));
  const ends = await Promise.all(
    agents.map(async (dispatcher) => {
      const { statusCode, body } = await request(`${url}/v1/chat/completions`, {
        method: "POST",
        dispatcher,
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify({
          model: "gpt-4o-mini",
          stream: true,
          messages: [{ role: "user", content: "hi" }],
        }),
      });
      if (statusCode !== 200) {
        throw new Error(`a stream began with ${statusCode}: ${await body.text()}`);
      }
      const chunks = body[Symbol.asyncIterator]();
      await chunks.next();
      return { ended: readToItsCut(chunks) };
    }),
  );
  return {
    ended: Promise.all(ends.map(({ ended }) => ended)),
    close: async () => {
      await Promise.all(agents.map((agent) => agent.destroy()));
    },
  };
}

/** When its last bytes came. Throws when it ends as a whole answer does. */
async function readToItsCut(chunks: AsyncIterator<unknown>): Promise<number> {
  let lastMs = performance.now();
  try {
    while ((await chunks.next()).done !== true) lastMs = performance.now();
  } catch {
    return lastMs;
  }
  throw new Error("a stream came to an end that should have been cut");
}
