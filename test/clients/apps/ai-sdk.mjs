import { openai } from "@ai-sdk/openai";
import {
  APICallError,
  embedMany,
  generateText,
  isStepCount,
  jsonSchema,
  Output,
  RetryError,
  streamText,
  tool,
} from "ai";
import { report } from "./report.mjs";

const MODEL = "gpt-4o-mini";
const prompt = "What is the weather in Paris?";
const inputSchema = jsonSchema({
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
});
const tools = {
  weather: tool({ description: "The weather", inputSchema, execute: () => "sunny" }),
};

const usageOf = ({ inputTokens: input, outputTokens: output }) => ({ input, output });

async function generate(options) {
  const { text, usage } = await generateText({ prompt, ...options });
  return { text, usage: usageOf(usage) };
}

async function stream(options) {
  const result = streamText({ prompt, ...options });
  let text = "";
  for await (const delta of result.textStream) text += delta;
  return { text, usage: usageOf(await result.usage) };
}

await report(
  { APICallError, RetryError },
  {
    chat: () => generate({ model: openai.chat(MODEL) }),
    chatStream: () => stream({ model: openai.chat(MODEL) }),
    // One step only: the call of the tool; its result is not sent back.
    async toolCall() {
      const result = await generateText({
        model: openai.chat(MODEL),
        prompt,
        tools,
        toolChoice: "required",
        stopWhen: isStepCount(1),
      });
      const [{ output }] = result.toolResults;
      return { text: output, usage: usageOf(result.usage) };
    },
    async structured() {
      const { output, usage } = await generateText({
        model: openai.chat(MODEL),
        prompt,
        output: Output.object({ schema: inputSchema }),
      });
      return { text: output.city, usage: usageOf(usage) };
    },
    responses: () => generate({ model: openai(MODEL) }),
    responsesStream: () => stream({ model: openai(MODEL) }),
    async embeddings() {
      const { embeddings, usage } = await embedMany({
        model: openai.embedding("text-embedding-3-small"),
        values: ["one", "two words"],
      });
      return { text: `${embeddings[1].length}`, usage: { input: usage.tokens, output: 0 } };
    },
  },
);
