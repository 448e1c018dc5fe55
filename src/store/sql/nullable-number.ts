export function toNullableNumber(value: bigint | null): number | null {
  return value === null ? null : Number(value);
}
