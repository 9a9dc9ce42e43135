import { expect, test } from 'vitest';
import { ProgramNotFound } from '../../../src/sandbox.ts';
import { gc } from '../../../src/toolchains/go.ts';
import { openDoor } from '../support/open-door.ts';
import { runsOn } from '../support/scripts.ts';

test('where the adapter of a language is missing, the answer says how an operator brings it', async () => {
  const door = openDoor({ script: runsOn, toolchains: [gc] });
  const { id: sessionId } = await door.session({ language: 'go' });
  door.runtime.last.refusal = new ProgramNotFound('Program not found: /usr/local/lib/delve/adapter');
  const { error } = await door.ask('debug.start', { sessionId });
  expect(error.data).toMatchObject({
    code: 'RUNTIME_UNAVAILABLE',
    details: expect.stringContaining('npm run go'),
  });
  expect(error.message).toContain('delve is missing on');
});
