import { type Static, Type } from '@sinclair/typebox';
import { nullable, oneOf } from './shapes.ts';

/** What a client wants installed; each entry is checked where its ecosystem is known (src/packages/requirements.ts). */
export const PackageList = Type.Array(Type.String(), {
  maxItems: 100,
  description:
    'Plain requirements of the language’s own ecosystem, such as pandas==2.*; installed before the program starts, which stays ' +
    'without a network',
});

export const InstallPhase = oneOf(
  ['resolve', 'download', 'install', 'verify', 'ready'],
  'Of an install: how far it has come',
);

export const InstallReason = oneOf(
  [
    'not_found',
    'conflict',
    'needs_build',
    'registry_unreachable',
    'timeout',
    'too_large',
    'denied',
    'digest',
  ],
  'Why nothing was installed',
);
export type InstallReason = Static<typeof InstallReason>;

export const InstalledPackage = Type.Object({
  name: Type.String({ description: 'As its index has it' }),
  version: Type.String({ description: 'That was picked' }),
  bytes: Type.Integer({ description: 'Of its files' }),
  digest: nullable(Type.String({ description: 'Of the artifact it came from, such as sha256:…' })),
});
export type InstalledPackage = Static<typeof InstalledPackage>;
