import { Agent, OpenAIChatCompletionsModel, run, tool } from "@openai/agents";
import OpenAI, { AuthenticationError, RateLimitError } from "openai";
import { report } from "./report.mjs";

const MODEL = "gpt-4o-mini";
const PROMPT = "What is the weather in Paris?";
const schema = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const weather = tool({
  name: "weather",
  description: "The weather",
  parameters: schema,
  strict: true,
  execute: ({ city }) => `sunny in ${city}`,
});

const agent = (options) => new Agent({ name: "Forecaster", model: MODEL, ...options });
const chatModel = () => new OpenAIChatCompletionsModel(new OpenAI(), MODEL);

/** The usage of every call that the run made, in order. */
function usageOf(result) {
  return result.rawResponses.map(({ usage: { inputTokens: input, outputTokens: output } }) => ({
    input,
    output,
  }));
}

async function whole(options) {
  const result = await run(agent(options), PROMPT);
  return { text: String(result.finalOutput), usage: usageOf(result) };
}

async function stream(options) {
  const result = await run(agent(options), PROMPT, { stream: true });
  let text = "";
  for await (const delta of result.toTextStream()) text += delta;
  await result.completed;
  return { text, usage: usageOf(result) };
}

await report(
  { AuthenticationError, RateLimitError },
  {
    responses: () => whole({}),
    responsesStream: () => stream({}),
    // Two calls: the one that asks for the tool, and the one that is told its result.
    toolCall: () => whole({ tools: [weather], modelSettings: { toolChoice: "weather" } }),
    async structured() {
      const outputType = { type: "json_schema", name: "place", strict: true, schema };
      const result = await run(agent({ outputType }), PROMPT);
      return { text: result.finalOutput.city, usage: usageOf(result) };
    },
    chat: () => whole({ model: chatModel() }),
    chatStream: () => stream({ model: chatModel() }),
  },
);
