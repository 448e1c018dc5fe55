import { AuthenticationError, OpenAI, RateLimitError } from "openai";
import { runOpenaiApp } from "./openai-app.mjs";

await runOpenaiApp({ OpenAI, AuthenticationError, RateLimitError });
