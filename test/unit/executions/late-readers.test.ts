import { expect, it } from 'vitest';
import { openService, readAll, textOf } from '../support/open-service.ts';
import { prints } from '../support/scripts.ts';

const LINE = '0123456789'.repeat(1000);
const LARGE = LINE.repeat(300);

it('one who streams a run gets all of it, however long the store takes before its id is told', async () => {
  const { start, service, call, store } = openService({
    script: async (argv, program) => {
      for (let i = 0; i < 300; i++) await prints(LINE)(argv, program);
      return {};
    },
  });
  const slow = Promise.withResolvers<void>();
  store.beforeInsert = () => slow.promise;
  const id = start({}, {}, { interactive: true });
  // As long as it takes the program to print what nobody holds up.
  for (let i = 0; i < 500; i++) await new Promise(resolve => setImmediate(resolve));
  slow.resolve();
  const events = await readAll(service.executions.events(await id, call(), 0));
  expect(textOf(events) === LARGE).toBe(true);
  expect(events[0]?.params.seq).toBe(1);
  expect(events.at(-1)?.method).toBe('execution.completed');
});
