/** One thing that the doctor looked at. */
export interface Check {
  readonly name: string;
  /** `warn`: it works, and should not stay so. `fail`: something does not work. */
  readonly status: "ok" | "warn" | "fail";
  readonly message: string;
  /** What to do; null where nothing is to be done. */
  readonly remedy: string | null;
}

export function pass(name: string, message: string): Check {
  return { name, status: "ok", message, remedy: null };
}

export function warn(name: string, message: string, remedy: string): Check {
  return { name, status: "warn", message, remedy };
}

export function fail(name: string, message: string, remedy: string): Check {
  return { name, status: "fail", message, remedy };
}
