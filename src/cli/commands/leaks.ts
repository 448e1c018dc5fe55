import type { components } from "../../admin/api-types.ts";
import { expectData } from "../../admin/client.ts";
import { defineCommand } from "../command.ts";
import { describeStanding, leakRemedyOf } from "../describe-trouble.ts";
import { formatOptional, formatTime } from "../format-cells.ts";
import { given } from "../given.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";
import { readSecret, SECRET_OPTIONS } from "../read-secret.ts";

const report = defineCommand({
  summary: "report a key that you have found where it should not be",
  details:
    "Whoever finds a key can do so, without a token; none is sent. A gateway key is revoked or told of, as its environment's policy leaked_keys says; an admin token, a session, an invitation or a link for a new password is revoked; of a provider key you are told. The answer does not say whether it is one of ours; leaks list does.",
  examples: [
    "keyward leaks report --found-at https://example.com/some/repository",
    "keyward leaks report --secret-stdin < found.txt",
    "keyward leaks report --secret-env FOUND_KEY --source commit",
  ],
  reach: "admin",
  printsData: true,
  options: {
    foundAt: { value: "url", description: "where it was found", param: "url" },
    source: { value: "word", description: "what found it, or in what" },
    ...SECRET_OPTIONS,
  },
  async run({ admin, io, options, output }) {
    const { foundAt: url, source } = options;
    const key = await readSecret(io, options, "What was found: ");
    const client = await admin("public");
    const body = { key, ...given({ url, source }) };
    const answer = expectData(await client.POST("/leaks", { body }));
    await output.data(answer, () => {
      output.line("received");
      output.note("what became of it, if it is one of ours: keyward leaks list");
    });
  },
});

type Leak = components["schemas"]["Leak"];

const DONE: Readonly<Record<Leak["outcome"], string>> = {
  revoked: "revoked",
  old_secret_ended: "old secret ended",
  old_secret_valid: "you were told",
  still_valid: "you were told",
  noted: "noted",
};

const list = defineCommand({
  summary: "list keys, tokens, sessions and links of ours that were reported, newest first",
  details:
    "With what was done when it was reported, and what it is now: `valid` can be used by whoever found it; `ended` is refused; of what is `not known`, Keyward uses it no more, and its provider may still take it. An `old secret` is one that its key had before its last rotation. `next` is what is left to do.",
  examples: ["keyward leaks list", "keyward leaks list --json"],
  reach: "admin",
  printsData: true,
  options: PAGE_OPTIONS,
  run: (context) =>
    printPage(context, {
      what: "leaks",
      fetch: (client, query) => client.GET("/leaks", { params: { query } }),
      columns: [
        { title: "reported (UTC)", value: (leak) => formatTime(leak.reportedAt) },
        { title: "what", value: (leak) => leak.kind },
        { title: "name", value: (leak) => leak.name },
        { title: "environment", value: (leak) => formatOptional(leak.environment) },
        { title: "done", value: ({ outcome }) => DONE[outcome] },
        { title: "now", value: describeStanding },
        { title: "found at", value: (leak) => formatOptional(leak.place) },
        { title: "id", value: (leak) => leak.subjectId },
        { title: "next", value: formatNext },
      ],
    }),
});

function formatNext(leak: Leak): string {
  return leak.standing === "ended" || leak.outcome === "noted" ? "" : leakRemedyOf(leak);
}

export const leaks = { report, list };
