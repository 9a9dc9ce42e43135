import { type Static, Type } from '@sinclair/typebox';
import { oneOf, SessionId } from './shapes.ts';

export const WatchId = Type.String({ description: 'Names the watch' });

/** What fs.watch tells. */
export const FILE_EVENTS = {
  'fs.changed': Type.Object({
    watchId: WatchId,
    sessionId: SessionId,
    type: oneOf(
      ['created', 'modified', 'deleted', 'renamed', 'overflow', 'ended'],
      'overflow: something may have been missed, and what happens from here on is told again; ended: nothing more is told',
    ),
    path: Type.String({ description: 'Absolute; of overflow and ended the one that is watched' }),
    newPath: Type.Optional(Type.String({ description: 'Of renamed' })),
    message: Type.Optional(Type.String({ description: 'Of ended: why, in a sentence' })),
  }),
} as const;

export type FileEvent = {
  readonly method: 'fs.changed';
  readonly params: Static<(typeof FILE_EVENTS)['fs.changed']>;
};
