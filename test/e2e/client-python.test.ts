import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { CodeBeaker } from '../../src/client/index.ts';
import { CuttingProxy } from '../support/cutting-proxy.ts';

/** Our client in Python, whose connection is lost in the middle of what a cell prints. */
const { url } = inject('server');
const PROGRAM = `import sys
from codebeaker import CodeBeaker, CodeBeakerError
client = CodeBeaker(sys.argv[1], patience=300)
with client.session('python') as session:
    print(session.id)
    code = '''
import os, time
print('begun', flush=True)
while not os.path.exists('go'): time.sleep(0.01)
for i in range(100): print(i)
'''
    for event in session.stream(code):
        if event['type'] == 'output':
            print(event['text'], end='', flush=True)
    try:
        session.execute('stat', path='missing')
    except CodeBeakerError as error:
        print(error.code)
`;

test('a program in Python reads on where its connection was lost', async () => {
  await using proxy = await CuttingProxy.open(url);
  const beside = new CodeBeaker({ url });
  const env = {
    ...process.env,
    PYTHONPATH: join(import.meta.dirname, '../../src/client/python'),
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const child = spawn('/usr/bin/python3', ['-c', PROGRAM, proxy.url], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  let isCut = false;
  child.stdout.setEncoding('utf8').on('data', text => {
    printed += text;
    if (isCut || !printed.endsWith('begun\n')) return;
    isCut = true;
    proxy.cut();
    void beside.attach(printed.split('\n')[0]!).write('go', '');
  });
  const [code] = await once(child, 'close');
  const numbers = Array.from({ length: 100 }, (_, i) => `${i}\n`).join('');
  expect([code, printed.slice(printed.indexOf('\n') + 1)]).toEqual([0, `begun\n${numbers}COMMAND_FAILED\n`]);
  beside.close();
});
