import { expect, test } from 'vitest';
import { ProgramNotFound } from '../../../src/sandbox.ts';
import { dotnet } from '../../../src/toolchains/dotnet.ts';
import { gc } from '../../../src/toolchains/go.ts';
import { openDoor } from '../support/open-door.ts';
import { runsOn } from '../support/scripts.ts';

test.each([
  ['go', gc, 'delve', 'npm run go'],
  ['csharp', dotnet, 'codebeaker-mono', 'npm run images'],
])('where the adapter of %s is missing, the answer says how an operator brings it', async (...row) => {
  const [language, toolchain, adapter, cure] = row;
  const door = openDoor({ script: runsOn, toolchains: [toolchain] });
  const { id: sessionId } = await door.session({ language });
  door.runtime.last.refusal = new ProgramNotFound('Program not found: it');
  const { error } = await door.ask('debug.start', { sessionId });
  expect(error.data).toMatchObject({
    code: 'RUNTIME_UNAVAILABLE',
    details: expect.stringContaining(cure),
  });
  expect(error.message).toContain(`${adapter} is missing on`);
});
