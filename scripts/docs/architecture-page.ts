import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cruise, type ICruiseResult } from "dependency-cruiser";
import type { Page } from "./page.ts";

const PATH = "ARCHITECTURE.md";
const BEGIN = "<!-- module graph: begin (made by `npm run docs` from the imports) -->";
const END = "<!-- module graph: end -->";
const ROOT = join(import.meta.dirname, "../..");
const TEST = /\.(test|contract)\.ts$/;

/** ARCHITECTURE.md with its module graph as the imports have it now. */
export async function architecturePage(): Promise<Page> {
  const text = readFileSync(join(ROOT, PATH), "utf8");
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin === -1 || end < begin)
    throw new Error(`${PATH} has lost the marks of its module graph`);
  const graph = formatGraph(await readEdges());
  return {
    path: PATH,
    text: `${text.slice(0, begin)}${BEGIN}\n\n${graph}\n\n${text.slice(end)}`,
  };
}

/** `proxy → core` for every pair of folders of src/ of which one imports from the other. */
async function readEdges(): Promise<Map<string, Set<string>>> {
  const { output } = await cruise(["src"], {
    baseDir: ROOT,
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node"] },
  });
  const edges = new Map<string, Set<string>>();
  for (const module of (output as ICruiseResult).modules) {
    const from = roomOf(module.source);
    if (from === undefined || TEST.test(module.source)) continue;
    const targets = edges.get(from) ?? new Set();
    for (const { resolved } of module.dependencies) {
      const to = roomOf(resolved);
      if (to !== undefined && to !== from) targets.add(to);
    }
    edges.set(from, targets);
  }
  return edges;
}

/** The folder below src/, or the file that stands in src/ itself. */
function roomOf(path: string): string | undefined {
  return /^src\/([^/]+)/.exec(path)?.[1]?.replace(/\.ts$/, "");
}

function formatGraph(edges: ReadonlyMap<string, ReadonlySet<string>>): string {
  const lines = [...edges]
    .flatMap(([from, targets]) => [...targets].map((to) => `  ${from} --> ${to}`))
    .toSorted();
  return ["```mermaid", "graph LR", ...lines, "```"].join("\n");
}
