/** How dist/ is made: own code and what it always loads, in few files. The reasons are in docs/adr/0025. */
import { defineConfig } from "rolldown";
import { leanUndici } from "./scripts/build/lean-undici.ts";
import { lightHttp } from "./scripts/build/light-http.ts";
import { thirdPartyLicenses } from "./scripts/build/third-party-licenses.ts";

/** Loaded by what needs them, from node_modules: a database, mail, logins, the tables of tokens. */
const LEFT_OUTSIDE = /^(pg|nodemailer|openid-client|gpt-tokenizer)($|\/)/;

export default defineConfig({
  platform: "node",
  // The library, the program, and what is started by the name of its file (src/files/own-file.ts).
  input: {
    index: "src/index.ts",
    "cli/main": "src/cli/main.ts",
    "store/sqlite/sqlite-thread": "src/store/sqlite/sqlite-thread.ts",
    "tokenizer/bpe/bpe-worker": "src/tokenizer/bpe/bpe-worker.ts",
  },
  external: LEFT_OUTSIDE,
  plugins: [lightHttp(), leanUndici(), thirdPartyLicenses()],
  output: {
    dir: "dist",
    cleanDir: true,
    entryFileNames: "[name].js",
    // One folder below dist/, always: src/files/own-file.ts counts on it.
    chunkFileNames: "chunks/[name]-[hash].js",
    comments: { legal: true, annotation: false, jsdoc: false },
    // For stack traces: names and lines. The sources themselves would make the package twice as large.
    sourcemap: true,
    sourcemapExcludeSources: true,
  },
});
