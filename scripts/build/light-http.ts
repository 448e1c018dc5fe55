import http from "node:http";
import type { Plugin } from "rolldown";

const ID = "node:http";
const MODULE = "\0light-http";

/**
 * An `import` of node:http reads every name that it has, and three of them (WebSocket and its events) make Node load the whole of
 * its fetch: for a server that uses neither, in every start. Here each name is taken from the module as it is asked for.
 */
export function lightHttp(): Plugin {
  return {
    name: "light-http",
    resolveId: (id, _importer, { kind }) => (id === ID && kind !== "require-call" ? MODULE : null),
    load: (id) => (id === MODULE ? exportsByName(plainNames()) : null),
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type === "chunk" && [...file.imports, ...file.dynamicImports].includes(ID))
          this.error(`${file.fileName} imports ${ID}, which makes each start load Node's fetch`);
      }
    },
  };
}

/** Names whose reading loads nothing. */
function plainNames(): readonly string[] {
  const all = Object.entries(Object.getOwnPropertyDescriptors(http));
  return all.flatMap(([name, descriptor]) => ("value" in descriptor ? [name] : []));
}

function exportsByName(names: readonly string[]): string {
  return `export const { ${names.join(", ")} } = process.getBuiltinModule("${ID}");`;
}
