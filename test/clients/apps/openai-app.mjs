/** One app for every major version of the official client: it has nothing that is new in any of them. */
import { report } from "./report.mjs";

const MODEL = "gpt-4o-mini";
const MESSAGES = [{ role: "user", content: "What is the weather in Paris?" }];
const PARAMETERS = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};

const chatUsage = ({ prompt_tokens: input, completion_tokens: output }) => ({ input, output });
const responseUsage = ({ input_tokens: input, output_tokens: output }) => ({ input, output });

export async function runOpenaiApp({ OpenAI, AuthenticationError, RateLimitError }) {
  const client = new OpenAI();
  const steps = { ...chatSteps(client), ...toolSteps(client), ...otherSteps(client) };
  await report({ AuthenticationError, RateLimitError }, steps);
}

function chatSteps(client) {
  return {
    async chat() {
      const answer = await client.chat.completions.create({ model: MODEL, messages: MESSAGES });
      return { text: answer.choices[0].message.content, usage: chatUsage(answer.usage) };
    },
    async chatStream() {
      const stream = await client.chat.completions.create({
        model: MODEL,
        messages: MESSAGES,
        stream: true,
        stream_options: { include_usage: true },
      });
      let text = "";
      let usage = null;
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? "";
        if (chunk.usage) usage = chatUsage(chunk.usage);
      }
      return { text, usage };
    },
    async chatStreamWithoutUsage() {
      const stream = await client.chat.completions.create({
        model: MODEL,
        messages: MESSAGES,
        stream: true,
      });
      let text = "";
      for await (const chunk of stream) text += chunk.choices[0].delta.content ?? "";
      return { text, usage: null };
    },
  };
}

function toolSteps(client) {
  const toolCall = { message: undefined };
  return {
    async toolCall() {
      const answer = await client.chat.completions.create({
        model: MODEL,
        messages: MESSAGES,
        tools: [{ type: "function", function: { name: "weather", parameters: PARAMETERS } }],
        tool_choice: { type: "function", function: { name: "weather" } },
      });
      toolCall.message = answer.choices[0].message;
      const { city } = JSON.parse(toolCall.message.tool_calls[0].function.arguments);
      return { text: city, usage: chatUsage(answer.usage) };
    },
    async toolResult() {
      const { id } = toolCall.message.tool_calls[0];
      const answer = await client.chat.completions.create({
        model: MODEL,
        messages: [
          ...MESSAGES,
          toolCall.message,
          { role: "tool", tool_call_id: id, content: "sunny" },
        ],
      });
      return { text: answer.choices[0].message.content, usage: chatUsage(answer.usage) };
    },
    async structured() {
      const answer = await client.chat.completions.create({
        model: MODEL,
        messages: MESSAGES,
        response_format: {
          type: "json_schema",
          json_schema: { name: "place", strict: true, schema: PARAMETERS },
        },
      });
      const { city } = JSON.parse(answer.choices[0].message.content);
      return { text: city, usage: chatUsage(answer.usage) };
    },
  };
}

function otherSteps(client) {
  return {
    async responses() {
      const answer = await client.responses.create({ model: MODEL, input: "Good day" });
      return { text: answer.output_text, usage: responseUsage(answer.usage) };
    },
    async responsesStream() {
      const stream = client.responses.stream({ model: MODEL, input: "Good day" });
      let text = "";
      for await (const event of stream) {
        if (event.type === "response.output_text.delta") text += event.delta;
      }
      const { usage } = await stream.finalResponse();
      return { text, usage: responseUsage(usage) };
    },
    async embeddings() {
      const answer = await client.embeddings.create({
        model: "text-embedding-3-small",
        input: ["one", "two words"],
      });
      const { length } = answer.data[1].embedding;
      return { text: `${length}`, usage: { input: answer.usage.prompt_tokens, output: 0 } };
    },
  };
}
