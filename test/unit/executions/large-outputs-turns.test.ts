import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FileRefused, type Sandbox } from '../../../src/sandbox.ts';
import type { CallLog } from '../../../src/service/call.ts';
import { LargeOutputs } from '../../../src/service/executions/large-outputs.ts';
import { KeptFiles } from '../../../src/service/store/kept-files.ts';
import { madeExecution } from '../../service/store/made-execution.ts';

test('a run copies nothing while those of two wait to be stored, which no limit counts before', async () => {
  const large = new LargeOutputs(new KeptFiles('/nowhere'), 1000, { warn: () => {} } as unknown as CallLog);
  const told: string[] = [];
  const keep = (name: string) => {
    const openRead = async () => {
      told.push(`${name} opened`);
      throw new FileRefused('It is not there');
    };
    const execution = madeExecution();
    const output = { number: 0, name: 'large', path: '/workspace/large', optional: false };
    const done = large.keep(execution, { files: { openRead } } as unknown as Sandbox, [output]);
    return { id: execution.id, done };
  };
  const [one, two] = [keep('one'), keep('two')];
  await Promise.all([one.done, two.done]);
  const three = keep('three');
  await setImmediate();
  told.push('one stored');
  large.stored(one.id);
  await three.done;
  large.stored('of nobody');
  expect(told).toEqual(['one opened', 'two opened', 'one stored', 'three opened']);
});
