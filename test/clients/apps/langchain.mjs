import { tool } from "@langchain/core/tools";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { AuthenticationError, RateLimitError } from "openai";
import { report } from "./report.mjs";

// LangChain's own six take more than a minute.
const maxRetries = 1;
const model = new ChatOpenAI({ model: "gpt-4o-mini", maxRetries });
const responses = new ChatOpenAI({ model: "gpt-4o-mini", maxRetries, useResponsesApi: true });
const PROMPT = "What is the weather in Paris?";
const schema = {
  title: "place",
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const weather = tool(({ city }) => `sunny in ${city}`, {
  name: "weather",
  description: "The weather",
  schema,
});

const usageOf = ({ input_tokens: input, output_tokens: output }) => ({ input, output });

async function invoke(chat) {
  const message = await chat.invoke(PROMPT);
  return { text: message.text, usage: usageOf(message.usage_metadata) };
}

async function stream(chat) {
  let whole;
  for await (const chunk of await chat.stream(PROMPT)) {
    whole = whole === undefined ? chunk : whole.concat(chunk);
  }
  return { text: whole.text, usage: usageOf(whole.usage_metadata) };
}

await report(
  { AuthenticationError, RateLimitError },
  {
    chat: () => invoke(model),
    chatStream: () => stream(model),
    async toolCall() {
      const bound = model.bindTools([weather], { tool_choice: "weather" });
      const message = await bound.invoke(PROMPT);
      const result = await weather.invoke(message.tool_calls[0]);
      return { text: result.content, usage: usageOf(message.usage_metadata) };
    },
    async structured() {
      const place = model.withStructuredOutput(schema, { includeRaw: true, method: "jsonSchema" });
      const { parsed, raw } = await place.invoke(PROMPT);
      return { text: parsed.city, usage: usageOf(raw.usage_metadata) };
    },
    responses: () => invoke(responses),
    responsesStream: () => stream(responses),
    async embeddings() {
      const embeddings = new OpenAIEmbeddings({ model: "text-embedding-3-small", maxRetries });
      const [, second] = await embeddings.embedDocuments(["one", "two words"]);
      return { text: `${second.length}`, usage: null };
    },
  },
);
