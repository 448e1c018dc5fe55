import { join } from "node:path";

/** For the environment of a process: what one has compiled and stripped of types the next one loads, half of its start. */
export const COMPILE_CACHE = {
  NODE_COMPILE_CACHE: join(import.meta.dirname, "../../node_modules/.cache/compiled-by-tests"),
};
