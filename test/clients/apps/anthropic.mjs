import { Anthropic, AuthenticationError, RateLimitError } from "@anthropic-ai/sdk";
import { report } from "./report.mjs";

const client = new Anthropic();
const PROMPT = { role: "user", content: "What is the weather in Paris?" };
const REQUEST = { model: "claude-sonnet-4-6", max_tokens: 500, messages: [PROMPT] };
const schema = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};

const usageOf = ({ usage: { input_tokens: input, output_tokens: output } }) => ({ input, output });
const textOf = ({ content: [block] }) => block.text;

let use;

await report(
  { AuthenticationError, RateLimitError },
  {
    async messages() {
      const message = await client.messages.create(REQUEST);
      return { text: textOf(message), usage: usageOf(message) };
    },
    async messagesStream() {
      const stream = client.messages.stream(REQUEST);
      let text = "";
      stream.on("text", (delta) => (text += delta));
      return { usage: usageOf(await stream.finalMessage()), text };
    },
    async toolUse() {
      use = await client.messages.create({
        ...REQUEST,
        tools: [{ name: "weather", input_schema: schema }],
        tool_choice: { type: "tool", name: "weather" },
      });
      return { text: use.content[0].input.city, usage: usageOf(use) };
    },
    async toolResult() {
      const result = { type: "tool_result", tool_use_id: use.content[0].id, content: "sunny" };
      const message = await client.messages.create({
        ...REQUEST,
        messages: [
          PROMPT,
          { role: "assistant", content: use.content },
          { role: "user", content: [result] },
        ],
      });
      return { text: textOf(message), usage: usageOf(message) };
    },
    async structured() {
      const message = await client.messages.create({
        ...REQUEST,
        output_config: { format: { type: "json_schema", schema } },
      });
      return { text: JSON.parse(textOf(message)).city, usage: usageOf(message) };
    },
    async countTokens() {
      const { model, messages } = REQUEST;
      const { input_tokens } = await client.messages.countTokens({ model, messages });
      return { text: `${input_tokens}`, usage: { input: 0, output: 0 } };
    },
  },
);
