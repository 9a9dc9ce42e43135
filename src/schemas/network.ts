import { type Static, Type } from '@sinclair/typebox';
import { closed, nullable, oneOf } from './shapes.ts';

const rules = (description: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 300 }), { maxItems: 100, description });

/** Where programs may connect; each rule is checked where rules are known (src/network-rules). */
export const NetworkRules = closed(
  {
    allow: rules(
      'Rules: a name, *.name for all names below it, * for any, an address or a block of them such as 203.0.113.0/24, each with ' +
        ':port or :first-last; by default ports 80 and 443',
    ),
    deny: Type.Optional(rules('The same; what is denied is not allowed, whatever else says so')),
  },
  'Where programs may connect; left out: nowhere',
);
export type NetworkRules = Static<typeof NetworkRules>;

export const NetworkUsage = Type.Object(
  {
    bytesIn: Type.Integer({ description: 'From the network' }),
    bytesOut: Type.Integer({ description: 'To it' }),
    connections: Type.Integer({ description: 'That were made' }),
    denied: Type.Integer({ description: 'Names and connections that were refused' }),
  },
  { description: 'What passed while it ran, of its whole session; absent without a network' },
);
export type NetworkUsage = Static<typeof NetworkUsage>;

/** What a program could not have of its network. */
export const denial = {
  name: Type.Optional(Type.String({ description: 'What was asked for, or its address' })),
  address: Type.Optional(Type.String({ description: 'What was connected to without a name' })),
  port: nullable(Type.Integer({ description: 'null: only its name was asked for' })),
  reason: oneOf(
    [
      'not_allowed',
      'private_address',
      'other_name',
      'no_name',
      'hidden_name',
      'not_tls',
      'not_http',
      'malformed',
      'not_found',
      'unreachable',
      'byte_limit',
    ],
    'Why: no rule allows it; its address is private; what was said on the connection names another host, none, or one that is hidden; it is ' +
      'not what that port carries; there is no such name or no answer; all bytes that may pass have',
  ),
};
