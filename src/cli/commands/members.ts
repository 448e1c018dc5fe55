import { type AdminClient, expectData } from "../../admin/client.ts";
import { ROLES } from "../../core/access/role.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { formatOptional, formatOptionalTime, formatTime } from "../format-cells.ts";
import { collectPages, PAGE_OPTIONS, printPage } from "../list-pages.ts";
import { printLink } from "../print-link.ts";
import { agree } from "../prompts.ts";

const MEMBER = { description: "the member's e-mail address or id" };

const invite = defineCommand({
  summary: "make a link that lets somebody join, once",
  details: "It works for three days, in place of every link for the address that is still open.",
  examples: [
    "keyward members invite --email anna@example.com --role developer",
    "keyward members invite --email ben@example.com --role developer --environment production",
  ],
  reach: "admin",
  printsData: true,
  options: {
    email: { value: "address", description: "who is invited", isRequired: true },
    role: { value: "role", description: "what they may do", choices: ROLES, isRequired: true },
    environment: {
      value: "name",
      description: "a developer's: where keys and policy may be changed; may be repeated",
      param: "environments",
      isRepeatable: true,
    },
  },
  async run({ admin, options, output }) {
    const client = await admin();
    const { email, role, environment } = options;
    const environments = environment.length > 0 ? [...environment] : null;
    const body = { email, role: role as (typeof ROLES)[number], environments };
    const made = expectData(await client.POST("/invitations", { body }));
    await printLink(made, output);
  },
});

const list = defineCommand({
  summary: "list members, newest first",
  examples: ["keyward members list"],
  reach: "admin",
  printsData: true,
  options: PAGE_OPTIONS,
  run: (context) =>
    printPage(context, {
      what: "members",
      fetch: (client, query) => client.GET("/members", { params: { query } }),
      columns: [
        { title: "e-mail", value: (member) => member.email },
        { title: "role", value: (member) => member.role },
        { title: "joined", value: (member) => formatTime(member.createdAt) },
        { title: "id", value: (member) => member.id },
      ],
    }),
});

const show = defineCommand({
  summary: "show a member",
  examples: ["keyward members show anna@example.com"],
  reach: "admin",
  printsData: true,
  arguments: { member: MEMBER },
  options: {},
  async run({ admin, arguments: { member: whose }, output }) {
    const client = await admin();
    const params = { path: { id: await findMemberId(client, whose) } };
    const member = expectData(await client.GET("/members/{id}", { params }));
    await output.data(member, async () => {
      const environments = await nameEnvironments(client, member.environmentIds);
      const ways = [
        ...(member.hasPassword ? ["a password"] : []),
        ...(member.hasIdentity ? ["the identity provider"] : []),
      ];
      output.facts([
        ["e-mail", member.email],
        ["name", formatOptional(member.name)],
        ["role", member.role],
        ...(environments === null ? [] : [["writes in", environments] as const]),
        ["logs in with", ways.length === 0 ? "nothing yet" : ways.join(", ")],
        ["joined", formatTime(member.createdAt)],
        ["last login", formatOptionalTime(member.lastLoginAt)],
        ["id", member.id],
      ]);
    });
  },
});

async function nameEnvironments(
  client: AdminClient,
  ids: readonly string[] | null,
): Promise<string | null> {
  if (ids === null) return null;
  const environments = await collectPages((query) =>
    client.GET("/environments", { params: { query } }),
  );
  const names = new Map(environments.map(({ id, name }) => [id, name]));
  return ids.map((id) => names.get(id) ?? id).join(", ");
}

const invitations = defineCommand({
  summary: "list invitations that nobody has accepted or revoked, newest first",
  examples: ["keyward members invitations"],
  reach: "admin",
  printsData: true,
  options: PAGE_OPTIONS,
  run: (context) =>
    printPage(context, {
      what: "open invitations",
      fetch: (client, query) => client.GET("/invitations", { params: { query } }),
      columns: [
        { title: "e-mail", value: (invitation) => invitation.email ?? "whoever has the link" },
        { title: "role", value: (invitation) => invitation.role },
        { title: "expires", value: (invitation) => formatTime(invitation.expiresAt) },
        { title: "by", value: (invitation) => invitation.createdBy },
        { title: "id", value: (invitation) => invitation.id },
      ],
    }),
});

const uninvite = defineCommand({
  summary: "take an invitation back",
  examples: ["keyward members uninvite inv_01JZ6Y4V2S8W3N5R7T9X0B1C2D"],
  reach: "admin",
  printsData: true,
  arguments: { id: { description: "the invitation's id" } },
  options: {},
  async run({ admin, arguments: { id }, output }) {
    const client = await admin();
    const params = { path: { id } };
    const taken = expectData(await client.POST("/invitations/{id}/revoke", { params }));
    await output.data(taken, () =>
      output.line(`the link for ${taken.email ?? "whoever has it"} does nothing any more`),
    );
  },
});

const unbind = defineCommand({
  summary: "forget who a member is at the identity provider",
  details:
    "For one whose account there was made anew. Ends the member's sessions; the next login with a verified e-mail address binds again. A password and admin tokens stay as they are: where the old account was in wrong hands, remove the member instead.",
  examples: ["keyward members unbind anna@example.com"],
  reach: "admin",
  printsData: true,
  arguments: { member: MEMBER },
  options: {},
  async run({ admin, arguments: { member: whose }, output }) {
    const client = await admin();
    const params = { path: { id: await findMemberId(client, whose) } };
    const body = { hasIdentity: false } as const;
    const member = expectData(await client.PATCH("/members/{id}", { params, body }));
    await output.data(member, () => {
      output.line(`${member.email} is bound to no account, and logged out everywhere`);
      const { hasPassword } = member;
      output.note(
        `${hasPassword ? "the password and " : ""}the member's admin tokens stay; \`keyward members remove\` ends everything`,
      );
    });
  },
});

const resetPassword = defineCommand({
  summary: "make a link by which a member sets a new password, once",
  details:
    "It works for a day, in place of one that is still open. The old password and the sessions hold until it is used, and end then; admin tokens stay. On the server's machine, without --url, it needs no token: the way back for an owner who has forgotten the password, too. Who logs in with the identity provider alone gets a password besides.",
  examples: [
    "keyward members reset-password anna@example.com",
    "keyward members reset-password mem_01JZ6Y4V2S8W3N5R7T9X0B1C2D --json",
  ],
  reach: "admin",
  printsData: true,
  arguments: { member: MEMBER },
  options: {},
  async run({ admin, arguments: { member }, output }) {
    const client = await admin();
    const params = { path: { id: await findMemberId(client, member) } };
    const made = expectData(await client.POST("/members/{id}/password-reset", { params }));
    const besides =
      "the member has had no password: this one lets in besides the identity provider";
    await printLink(made, output, [
      `whoever has it becomes ${made.email}: hand it over where nobody else reads`,
      ...(made.hasPassword ? [] : [besides]),
    ]);
  },
});

const signOut = defineCommand({
  summary: "end every session of a member",
  details:
    "At once, in every process; a link for a new password that is still open ends as well. Password and admin tokens stay: where they are in wrong hands, see `keyward members reset-password` and `keyward admin-tokens list`.",
  examples: ["keyward members sign-out anna@example.com"],
  reach: "admin",
  printsData: true,
  arguments: { member: MEMBER },
  options: {},
  async run({ admin, arguments: { member }, output }) {
    const client = await admin();
    const params = { path: { id: await findMemberId(client, member) } };
    const answer = expectData(await client.POST("/members/{id}/sessions/revoke-all", { params }));
    await output.data(answer, () =>
      output.line(`${member} is signed out; sessions ended: ${answer.endedSessions}`),
    );
  },
});

async function findMemberId(client: AdminClient, idOrEmail: string): Promise<string> {
  if (!idOrEmail.includes("@")) return idOrEmail;
  const query = { email: idOrEmail };
  const { data } = expectData(await client.GET("/members", { params: { query } }));
  const id = data[0]?.id;
  if (id === undefined) {
    throw new CliError(`there is no member ${idOrEmail}`, { advice: "keyward members list" });
  }
  return id;
}

const setRole = defineCommand({
  summary: "change what a member may do",
  examples: ["keyward members set-role anna@example.com --role viewer"],
  reach: "admin",
  printsData: true,
  arguments: { member: MEMBER },
  options: {
    role: { value: "role", description: "the new role", choices: ROLES, isRequired: true },
    environment: {
      value: "name",
      description: "a developer's: where keys and policy may be changed; may be repeated",
      param: "environments",
      isRepeatable: true,
    },
  },
  async run({ admin, arguments: { member: whose }, options, output }) {
    const client = await admin();
    const { role, environment } = options;
    const environments = environment.length > 0 ? [...environment] : null;
    const body = { role: role as (typeof ROLES)[number], environments };
    const params = { path: { id: await findMemberId(client, whose) } };
    const member = expectData(await client.PATCH("/members/{id}", { params, body }));
    await output.data(member, () => output.line(`${member.email} is ${member.role}`));
  },
});

const remove = defineCommand({
  summary: "remove a member, with sessions, tokens and open invitations",
  examples: [
    "keyward members remove anna@example.com",
    "keyward members remove mem_01JZ6Y4V2S8W3N5R7T9X0B1C2D --yes --json",
  ],
  reach: "admin",
  printsData: true,
  arguments: { member: MEMBER },
  options: { yes: { description: "do not ask" } },
  async run({ admin, arguments: { member: whose }, io, options, output }) {
    const client = await admin();
    const params = { path: { id: await findMemberId(client, whose) } };
    const { email, role } = expectData(await client.GET("/members/{id}", { params }));
    const question = `Remove ${email} (${role}), with sessions, tokens and open invitations?`;
    await agree({ io, isAgreed: options.yes }, question);
    const member = expectData(await client.DELETE("/members/{id}", { params }));
    await output.data(member, () => output.line(`removed ${member.email}`));
  },
});

export const members = {
  invite,
  invitations,
  uninvite,
  list,
  show,
  "set-role": setRole,
  "reset-password": resetPassword,
  "sign-out": signOut,
  unbind,
  remove,
};
