/** `1 call`, `3 calls`, `12,345 calls`: a number with the noun that fits it. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}
