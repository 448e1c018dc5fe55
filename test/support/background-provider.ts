/** A provider of responses in background mode, by the types of the official client. */
import type { Response } from "openai/resources/responses/responses";
import type { Respond } from "./upstream.ts";

export const USAGE: NonNullable<Response["usage"]> = {
  input_tokens: 500,
  input_tokens_details: { cached_tokens: 100, cache_write_tokens: 0 },
  output_tokens: 1500,
  output_tokens_details: { reasoning_tokens: 300 },
  total_tokens: 2000,
};
export function response(change: Partial<Response> = {}): Response {
  return {
    id: "resp_1",
    access_programs: null,
    object: "response",
    created_at: 1,
    background: true,
    status: "queued",
    model: "gpt-4o-mini-2024-07-18",
    service_tier: "default",
    output: [],
    output_text: "",
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: null,
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: "auto",
    tools: [],
    top_p: 1,
    ...change,
  };
}

export const DONE = response({ status: "completed", usage: USAGE });
export const ASK = { model: "gpt-4o-mini", input: "think", background: true } as const;

export interface Provider {
  readonly respond: Respond;
  /** What it answers when it is asked for the response. */
  now: Response | { readonly status: number; readonly headers?: Record<string, string> };
  asked: number;
}

export function createProvider(id = "resp_1"): Provider {
  const provider: Provider = {
    now: response({ id, status: "in_progress" }),
    asked: 0,
    respond: (req, res) => {
      const isAsked = req.method === "GET";
      if (isAsked) provider.asked += 1;
      const answer = isAsked || req.url?.endsWith("/cancel") ? provider.now : response({ id });
      const isRefusal = typeof answer.status === "number";
      res.writeHead(isRefusal ? answer.status : 200, {
        "content-type": "application/json",
        ...(isRefusal ? answer.headers : {}),
      });
      res.end(JSON.stringify(isRefusal ? { error: { message: "no" } } : answer));
    },
  };
  return provider;
}
