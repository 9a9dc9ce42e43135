import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LIMITS } from '../../src/schemas/limits.ts';

const KB = 1024;
const text = readFileSync(join(import.meta.dirname, '../../openapi/protocol.md'), 'utf8');
/** What is limited → by what, from the table of limits. */
const table = new Map(
  text
    .slice(text.indexOf('\n## Limits\n'), text.indexOf('\n## Close codes\n'))
    .split('\n')
    .flatMap(line => {
      const [, what, limit] = /^\| (.*?) *\| (.*?) *\|$/.exec(line) ?? [];
      return what !== undefined && limit !== undefined ? [[what, limit] as const] : [];
    }),
);

const bytes = (count: number) => (count < KB * KB ? `${count / KB} KiB` : `${count / (KB * KB)} MiB`);
const ofOwners = ({ perOwner, total }: { perOwner: number; total: number }) =>
  `${bytes(perOwner)} of a key's, ${bytes(total)} of all`;
const ofClients = ({ perClient, total }: { perClient: number; total: number }) =>
  `${perClient} of a client, ${total} of all`;
/** 10000 → "10 000". */
const spaced = (count: number) =>
  count < 10_000 ? `${count}` : `${Math.floor(count / 1000)} ${String(count % 1000).padStart(3, '0')}`;

test.each([
  ['a message, a body', bytes(LIMITS.messageBytes)],
  ['requests in a batch, or in all lines of a message', spaced(LIMITS.batchRequests)],
  ['values in a message or body, names included', spaced(LIMITS.jsonValues)],
  [
    'an `environment`, a `metadata` and `permissions` of a session',
    `${LIMITS.environmentVariables} variables in ${bytes(LIMITS.environmentLength)} of JSON, ${bytes(LIMITS.metadataLength)} on ${LIMITS.metadataDepth} levels, and ${bytes(LIMITS.permissionsLength)}`,
  ],
  ['`environment`, `metadata` and `permissions` of open sessions', ofOwners(LIMITS.configsBytes)],
  [
    'output kept of ended commands, for `execution.status`',
    `${LIMITS.keptCommands} of a session, ${ofOwners(LIMITS.keptBytes)}`,
  ],
  ['output kept of commands that run', ofOwners(LIMITS.outputBytes)],
  ['files of sessions that are read and listed at once', ofOwners(LIMITS.readsBytes)],
  ["events kept of a key's sessions", ofOwners(LIMITS.sessionEventsBytes)],
  ['interpreters of a session, by `context`', `${LIMITS.contexts} in all`],
  ["a cell's results", bytes(LIMITS.resultsBytes)],
  ['the answer to a batch', bytes(LIMITS.batchReplyBytes)],
  [
    'commands of `execution.runCommands`, and their results',
    `${LIMITS.batchCommands}, and ${bytes(LIMITS.batchAnswerBytes)} of JSON`,
  ],
  [
    'answers on their way to one connection, and to all',
    `${bytes(LIMITS.answersBytes.perConnection)}, ${bytes(LIMITS.answersBytes.total)}`,
  ],
  ['nesting', `${LIMITS.jsonDepth} levels`],
  ['bodies and HTTP answers over 1 MiB, on their way at once', bytes(LIMITS.bodiesBytes)],
  ['WebSocket messages over 64 KiB that are not whole or not answered', bytes(LIMITS.inflowBytes)],
  ['clients that follow `/ws/status` and `/api/events` at once', ofClients(LIMITS.statusReaders)],
  [
    'files on their way, over HTTP or `/ws/data`',
    `${LIMITS.transfersOfConnection} of a connection, ${LIMITS.transfers.perClient} of a key or address, ${LIMITS.transfers.total} of all; ${LIMITS.codedTransfers.perClient} and ${LIMITS.codedTransfers.total} of them`,
  ],
  ['cut uploads of a session that can be resumed', `${LIMITS.cutUploads} `],
  [
    'those of them that are compressed',
    `${LIMITS.codedUploads.perOwner} of a key, of all its sessions, and ${LIMITS.codedUploads.total} of all`,
  ],
  ['a text message of `/ws/data`', bytes(LIMITS.dataMessageLength)],
  [
    'watches of a session, and directories of one watch',
    `${LIMITS.watches}, \`CONFLICT\`; ${spaced(LIMITS.watchedDirectories)}, `,
  ],
  ['runs followed over `/events` at once', ofClients(LIMITS.eventStreams)],
  ['events of runs that have ended, while they are read again', ofOwners(LIMITS.replaysBytes)],
])('the protocol promises of %s what holds', (what, limit) => {
  expect(table.get(what)?.startsWith(limit), `${what}: ${table.get(what)}, and ${limit} holds`).toBe(true);
});
