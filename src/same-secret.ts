/** Whether what somebody sent is the secret. The time it takes tells nothing but whether the lengths agree. */
export function isSameSecret(given: unknown, secret: string | Uint8Array): boolean {
  if (typeof given !== 'string') return false;
  const { timingSafeEqual } = process.getBuiltinModule('node:crypto');
  const [said, known] = [Buffer.from(given), Buffer.from(secret)];
  return said.length === known.length && timingSafeEqual(said, known);
}
