import { AuthenticationError, OpenAI, RateLimitError } from "openai-v6";
import { runOpenaiApp } from "./openai-app.mjs";

await runOpenaiApp({ OpenAI, AuthenticationError, RateLimitError });
