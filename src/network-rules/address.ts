import { isIP } from 'node:net';

/** An address in bytes: 4 or 16. */
export type Address = Uint8Array;

/** Addresses that share their first `prefix` bits. */
export interface Block {
  readonly bytes: Address;
  readonly prefix: number;
}

const MAPPED = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255);

/**
 * An address as it is written (RFC 791 in four decimal parts, RFC 4291), or null for anything else: no zone, no octal, no short form. One
 * of IPv4 in the clothes of IPv6 is one of IPv4.
 */
export function parseAddress(text: string): Address | null {
  if (text.includes('%')) return null;
  const family = isIP(text);
  if (family === 4) return Uint8Array.from(text.split('.'), Number);
  return family === 6 ? unmapped(bytesOfSix(text)) : null;
}

/** `address` or `address/prefix`, whose bits behind the prefix are 0; null for anything else. */
export function parseBlock(text: string): Block | null {
  const [address = '', prefix, ...more] = text.split('/');
  const bytes = parseAddress(address);
  if (!bytes || more.length > 0) return null;
  if (prefix === undefined) return { bytes, prefix: bytes.length * 8 };
  if (!/^(0|[1-9]\d{0,2})$/.test(prefix)) return null;
  // Its prefix would count the bits before the address of IPv4 as well.
  if (isIP(address) === 6 && bytes.length === 4) return null;
  const block = { bytes, prefix: Number(prefix) };
  return block.prefix <= bytes.length * 8 && isRounded(block) ? block : null;
}

export function contains({ bytes, prefix }: Block, address: Address): boolean {
  return address.length === bytes.length && sharedBits(bytes, address) >= prefix;
}

/** Whether every address of `inner` is one of `outer`. */
export function covers(outer: Block, inner: Block): boolean {
  return inner.prefix >= outer.prefix && contains(outer, inner.bytes);
}

/** As `net` takes it. */
export function formatAddress(address: Address): string {
  if (address.length === 4) return address.join('.');
  const view = new DataView(address.buffer, address.byteOffset);
  return Array.from({ length: 8 }, (_, i) => view.getUint16(2 * i).toString(16)).join(':');
}

/** `address/prefix` */
export function formatBlock({ bytes, prefix }: Block): string {
  return `${formatAddress(bytes)}/${prefix}`;
}

function sharedBits(one: Address, other: Address): number {
  const at = one.findIndex((byte, i) => byte !== other[i]);
  return at < 0 ? one.length * 8 : at * 8 + Math.clz32(one[at]! ^ other[at]!) - 24;
}

function isRounded({ bytes, prefix }: Block): boolean {
  return bytes.every((byte, i) => (byte & (0xff >> Math.min(8, Math.max(0, prefix - 8 * i)))) === 0);
}

function unmapped(bytes: Address): Address {
  return MAPPED.every((byte, i) => bytes[i] === byte) ? bytes.slice(12) : bytes;
}

/** Of a text that is an address of IPv6. */
function bytesOfSix(text: string): Address {
  const [head = '', tail] = text.split('::');
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = new Array(16 - before.length - after.length).fill(0);
  return Uint8Array.from([...before, ...zeros, ...after]);
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap(group => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}
