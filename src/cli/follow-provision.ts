import type { components } from "../admin/api-types.ts";
import { type AdminClient, expectData } from "../admin/client.ts";
import { heldRemedyOf } from "./describe-trouble.ts";
import { type FollowTo, followWork } from "./follow-work.ts";
import type { Output } from "./output.ts";

export type Provision = components["schemas"]["Provision"];

/** Tells how a provision goes as it goes, until it has ended or waits for a person. */
export function followProvision(
  client: AdminClient,
  begun: Provision,
  to: FollowTo,
): Promise<Provision> {
  return followWork(begun, {
    ...to,
    read: async () =>
      expectData(await client.GET("/provisions/{id}", { params: { path: { id: begun.id } } })),
    isEnough: () => false,
  });
}

/** What has come of it, and what is left to do. */
export function describeProvision(provision: Provision, output: Output): void {
  const environment = provision.environment ?? "the environment";
  const { id, state, problem, keyName, preview, projectName, canCancel } = provision;
  if (state === "failed") {
    output.line(`provisioning ${environment} waits for you: ${problem ?? ""}`);
    if (provision.held) output.note(heldRemedyOf({ kind: "provision", id }));
    else
      output.note(
        `next: keyward provisions retry ${id}${canCancel ? `, or keyward provisions cancel ${id}` : ""}`,
      );
  } else if (state === "cancelled") {
    output.line(`provisioning ${environment} was called off: ${problem ?? ""}`);
  } else if (state === "done") {
    output.line(`${environment} has the provider key ${keyName}, ${preview ?? ""}`);
    output.line(`project ${projectName} (${provision.projectId ?? ""})`);
    describeLimits(provision, output);
    output.note(`next: keyward keys create --environment ${environment} --name <name>`);
  } else {
    output.line(`provisioning ${environment} is in ${state} (${id})`);
    output.note(`the rest happens in the server: keyward provisions show ${id}`);
  }
}

function describeLimits({ outcomes, limits }: Provision, output: Output): void {
  for (const { isSet, text } of outcomes) {
    if (isSet) output.line(text);
    else output.warn(text);
  }
  if (limits.monthlyLimitUsd === null) output.warn(NO_SPEND_LIMIT);
}

export const NO_SPEND_LIMIT =
  "the project has no spend limit at the provider: no hard budget counts every call of the environment. Set one there, or name it with --monthly-limit-usd";
