/** CPU time and memory of a process and its children, from Linux's /proc. */
import { readdirSync, readFileSync } from "node:fs";

/** CPU time in µs of every thread of the processes, as the scheduler counted it. */
export function cpuMicrosOf(pids: readonly number[]): number {
  let nanos = 0n;
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const [onCpu = "0"] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(
        " ",
      );
      nanos += BigInt(onCpu);
    }
  }
  return Number(nanos / 1000n);
}

/** Resident memory in MB (10^6 bytes), summed. */
export function residentMegabytesOf(pids: readonly number[]): number {
  let kibibytes = 0;
  for (const pid of pids) {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    kibibytes += Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
  }
  return (kibibytes * 1024) / 1_000_000;
}

/** The process and all that it has started. */
export function processTreeOf(pid: number): number[] {
  const tree = [pid];
  for (let index = 0; index < tree.length; index += 1) {
    const parent = tree[index] as number;
    for (const thread of readdirSync(`/proc/${parent}/task`)) {
      const children = readFileSync(`/proc/${parent}/task/${thread}/children`, "utf8");
      tree.push(
        ...children
          .split(" ")
          .filter((text) => text !== "")
          .map(Number),
      );
    }
  }
  return tree;
}
