/** Tools of the provider's own, in responses built to the types that the official `openai` package publishes. */
import type {
  Response,
  ResponseCodeInterpreterToolCall,
  ResponseFileSearchToolCall,
  ResponseFunctionWebSearch,
  ResponseOutputItem,
} from "openai/resources/responses/responses";
import { request } from "undici";
import { describe, expect, it } from "vitest";
import { ANSWER, onlyEvent } from "../support/chat.ts";
import { dataPlaneFixture } from "../support/data-plane-fixture.ts";
import type { DataPlane } from "../support/data-plane.ts";
import { respondJson } from "../support/upstream.ts";

const { start } = dataPlaneFixture();

const TOKENS = { input: 300, output: 40 };

function search(action: ResponseFunctionWebSearch["action"]): ResponseFunctionWebSearch {
  return { id: "ws_1", type: "web_search_call", status: "completed", action };
}
const SEARCH = search({ type: "search", queries: ["a"] });
const OPEN_PAGE = search({ type: "open_page", url: "https://page.example" });
const FILE_SEARCH: ResponseFileSearchToolCall = {
  id: "fs_1",
  type: "file_search_call",
  status: "completed",
  queries: ["a"],
};
const code = (container: string): ResponseCodeInterpreterToolCall => ({
  id: "ci_1",
  type: "code_interpreter_call",
  status: "completed",
  code: "1",
  container_id: container,
  outputs: null,
});
const DRAWING: ResponseOutputItem.ImageGenerationCall = {
  id: "ig_1",
  type: "image_generation_call",
  status: "completed",
  result: "AAAA",
};

type Answer = Pick<Response, "id" | "model" | "output" | "usage" | "error"> &
  Partial<Pick<Response, "tool_usage" | "tools">>;

function response(output: ResponseOutputItem[], more: Partial<Answer> = {}): Answer {
  return {
    id: "resp_1",
    model: "gpt-4o-mini-2024-07-18",
    error: null,
    output,
    usage: {
      input_tokens: 300,
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      output_tokens: 40,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 340,
    },
    ...more,
  };
}

async function respond(gateway: DataPlane, path = "/v1/responses"): Promise<void> {
  const res = await request(`${gateway.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-4o-mini", input: "a" }),
  });
  await res.body.text().catch(() => undefined);
}

const IMAGE_USAGE = {
  input_tokens: 1,
  input_tokens_details: { image_tokens: 0, text_tokens: 1 },
  output_tokens: 272,
  total_tokens: 273,
};
const NO_IMAGES = {
  input_tokens: 0,
  input_tokens_details: { image_tokens: 0, text_tokens: 0 },
  output_tokens: 0,
  total_tokens: 0,
};

describe("tools called inside a response", () => {
  it.each([
    ["searches, and not the opening of pages", [SEARCH, OPEN_PAGE, SEARCH], { webSearches: 2 }],
    ["no search that failed", [{ ...SEARCH, status: "failed" as const }], {}],
    ["searches of files", [FILE_SEARCH, FILE_SEARCH], { fileSearches: 2 }],
    [
      "containers, and not the calls in them",
      [code("a"), code("a"), code("b")],
      { codeSessions: 2 },
    ],
    [
      "each kind on its own",
      [SEARCH, FILE_SEARCH, code("a")],
      { webSearches: 1, fileSearches: 1, codeSessions: 1 },
    ],
  ])("are counted: %s", async (_name, output, units) => {
    const { gateway } = await start(respondJson(response(output)));
    await respond(gateway);
    const { quantities, usageSource } = await onlyEvent(gateway);
    expect(quantities).toEqual({ ...TOKENS, ...units });
    expect(usageSource).toBe("reported");
  });

  it("are counted by the provider's own count of billable searches where it gives one", async () => {
    const tool_usage = { web_search: { num_requests: 1 }, image_gen: NO_IMAGES };
    const { gateway } = await start(respondJson(response([SEARCH, SEARCH], { tool_usage })));
    await respond(gateway);
    expect((await onlyEvent(gateway)).quantities).toEqual({ ...TOKENS, webSearches: 1 });
  });

  it("cost nothing where the provider counts no billable search", async () => {
    const tool_usage = { web_search: { num_requests: 0 }, image_gen: NO_IMAGES };
    const { gateway } = await start(respondJson(response([SEARCH], { tool_usage })));
    await respond(gateway);
    expect((await onlyEvent(gateway)).quantities).toEqual(TOKENS);
  });

  it("carry the older search tool's name, whose searches have another price", async () => {
    const tools: Response["tools"] = [{ type: "web_search_preview_2025_03_11" }];
    const { gateway } = await start(respondJson(response([SEARCH], { tools })));
    await respond(gateway);
    expect(await onlyEvent(gateway)).toMatchObject({ variant: "web_search_preview" });
  });

  it.each([
    ["the item", response([DRAWING])],
    [
      "the usage",
      response([], { tool_usage: { web_search: { num_requests: 0 }, image_gen: IMAGE_USAGE } }),
    ],
  ])(
    "make the cost unknown where another model drew a picture: known by %s",
    async (_name, answer) => {
      const { gateway } = await start(respondJson(answer));
      await respond(gateway);
      expect(await onlyEvent(gateway)).toMatchObject({
        usageSource: "unknown",
        quantities: TOKENS,
        pricing: "unpriced",
        costPicos: null,
      });
    },
  );

  it("are counted in an output of a megabyte", async () => {
    const page = { ...FILE_SEARCH, results: [{ text: "x".repeat(1_000_000) }] };
    const { gateway } = await start(respondJson(response([page, SEARCH])));
    await respond(gateway);
    expect((await onlyEvent(gateway)).quantities).toMatchObject({
      fileSearches: 1,
      webSearches: 1,
    });
  });

  it("make the cost unknown in an output that is too long to read", async () => {
    const page = { ...FILE_SEARCH, results: [{ text: "x".repeat(5_000_000) }] };
    const { gateway } = await start(respondJson(response([page])));
    await respond(gateway);
    expect(await onlyEvent(gateway)).toMatchObject({ usageSource: "unknown", quantities: TOKENS });
  });

  it("are counted in the last event of a stream, and once", async () => {
    const { gateway } = await start((_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write(`data: ${JSON.stringify({ type: "response.output_item.done", item: SEARCH })}\n\n`);
      const done = { type: "response.completed", response: response([SEARCH]) };
      res.end(`data: ${JSON.stringify(done)}\n\n`);
    });
    await respond(gateway);
    expect((await onlyEvent(gateway)).quantities).toEqual({ ...TOKENS, webSearches: 1 });
  });

  it("are counted in a stream that breaks off, by what was delivered", async () => {
    const { gateway } = await start((_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write(`data: ${JSON.stringify({ type: "response.output_item.done", item: SEARCH })}\n\n`);
      const delta = { type: "response.output_text.delta", delta: "one two" };
      res.write(`data: ${JSON.stringify(delta)}\n\n`, () => res.destroy());
    });
    await respond(gateway);
    expect(await onlyEvent(gateway)).toMatchObject({
      status: "interrupted",
      usageSource: "estimated",
      quantities: { output: 2, webSearches: 1 },
    });
  });
});

it("a chat with a model that always searches has one search", async () => {
  const model = "gpt-4o-mini-search-preview-2025-03-11";
  const { gateway } = await start(respondJson({ ...ANSWER, model }));
  await respond(gateway, "/v1/chat/completions");
  expect((await onlyEvent(gateway)).quantities).toMatchObject({ webSearches: 1 });
});
