import type { AdminDeps } from "../src/admin/admin-deps.ts";
import { TRUST_CALLER } from "../src/admin/authenticator.ts";

/** For an admin app that is asked for its document only: that is made from the routes alone, so whatever else is touched is a mistake. */
export function unusedDeps(): AdminDeps {
  const names = [
    "store",
    "vault",
    "providers",
    "priceBook",
    "keyDesk",
    "ids",
    "clock",
    "serverInfo",
    "passwords",
  ];
  const entries = names.map((name) => [name, unused(name)]);
  return { ...Object.fromEntries(entries), authenticator: TRUST_CALLER } as AdminDeps;
}

function unused(name: string): object {
  return new Proxy(
    {},
    {
      get: (_target, property) => {
        throw new Error(`${name}.${String(property)} was used while the document was made`);
      },
    },
  );
}
