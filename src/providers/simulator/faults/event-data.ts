/** The JSON object that a server-sent event of the simulator carries; undefined for `[DONE]`. */
export function eventData(event: string): Readonly<Record<string, unknown>> | undefined {
  const line = event.split("\n").find((one) => one.startsWith("data: {"));
  if (line === undefined) return undefined;
  return JSON.parse(line.slice("data: ".length)) as Readonly<Record<string, unknown>>;
}
