import { type Address, type Block, contains, parseBlock } from './address.ts';

/** Blocks that are no place of the public network (IANA's registries of special-purpose addresses, RFC 6890). */
const SPECIAL_BLOCKS = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  // Of one cloud the machine's own service, among public ones.
  '168.63.129.16',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96',
  // Addresses of IPv4 behind a translator of the local network's own.
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];

/** What is behind this prefix is an address of IPv4 (RFC 6052). */
const TRANSLATED_BLOCK = '64:ff9b::/96';

let parsed: { special: readonly Block[]; translated: Block } | undefined;

/** Whether it is private, local, reserved, or a cloud's own: nothing that a stranger's program may reach unless the operator says so. */
export function isSpecial(address: Address, own: readonly Block[] = []): boolean {
  // Not at the start of a process, of which it would be a twelfth.
  parsed ??= {
    special: SPECIAL_BLOCKS.map(text => parseBlock(text)!),
    translated: parseBlock(TRANSLATED_BLOCK)!,
  };
  const { special, translated } = parsed;
  const within = (block: Block) => contains(block, address);
  if (contains(translated, address)) return isSpecial(address.slice(12), own);
  return special.some(within) || own.some(within);
}
