import type { Role } from "../core/access/role.ts";
import type { EnvironmentId } from "../core/ids/ids.ts";
import type { AdminDeps } from "./admin-deps.ts";
import type { Problem } from "./answers/error-body.ts";
import { References } from "./references.ts";

type Found =
  | { readonly environments: readonly EnvironmentId[] | null }
  | { readonly problems: readonly Problem[] };

/** The ids of the environments that a request names. */
export async function findEnvironmentIds(
  { store }: Pick<AdminDeps, "store">,
  names: readonly string[] | null | undefined,
): Promise<Found> {
  if (names === null || names === undefined) return { environments: null };
  const references = new References(store);
  const found = await Promise.all(
    names.map((name) => references.environment("environments", name)),
  );
  if (references.problems.length > 0) return { problems: references.problems };
  return { environments: [...new Set(found.flatMap((each) => (each ? [each.id] : [])))] };
}

/** The environments of a member: they say something of a developer's role alone. */
export async function findMemberEnvironments(
  deps: Pick<AdminDeps, "store">,
  role: Role,
  names: readonly string[] | null | undefined,
): Promise<Found> {
  if (names !== null && names !== undefined && role !== "developer") {
    const message = `Only a developer is given environments; the role \`${role}\` is the same in all of them.`;
    return { problems: [{ param: "environments", message }] };
  }
  return findEnvironmentIds(deps, names);
}
