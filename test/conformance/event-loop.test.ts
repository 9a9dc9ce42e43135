import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { matrix } from '../support/matrix.ts';

/** A Python context has one event loop, which goes on while no cell runs. */
const server = inject('server');
const cells = (await matrix()).filter(({ dialect }) => dialect === 'python');

describe.for(cells)('a session of $language on $runtimeType', ({ language, runtimeType }) => {
  const open = () => lentSession(server.wsUrl, { language, runtimeType });

  test('goes on with tasks and timers between cells, started without await', async () => {
    await using session = await open();
    await session.prints(`
import asyncio
ticks, called = [], []
async def ticker():
    while True:
        ticks.append(1)
        await asyncio.sleep(0.005)
loop = asyncio.get_running_loop()
task = asyncio.create_task(ticker())
timer = loop.call_later(0.01, called.append, 'timer')
future = asyncio.ensure_future(asyncio.sleep(0.01, 'slept'))
assert asyncio.get_event_loop() is loop and asyncio.current_task() is None`);
    const state = () => session.prints('print(len(ticks) > 5, called, future.done(), task.done())');
    await expect.poll(state).toBe("True ['timer'] True False\n");
    expect(await session.prints('print(asyncio.get_running_loop() is loop, await future)')).toBe(
      'True slept\n',
    );
    expect(await session.prints('task.cancel(); await asyncio.sleep(0); print(task.cancelled())')).toBe(
      'True\n',
    );
  });

  test('serves between cells', async () => {
    await using session = await open();
    await session.prints(`
import asyncio, subprocess, sys
async def greet(reader, writer):
    writer.write(b'served')
    writer.close()
server = await asyncio.start_server(greet, '127.0.0.1', 0)
port = server.sockets[0].getsockname()[1]
code = f'import socket; print(socket.create_connection(("127.0.0.1", {port})).recv(99))'
client = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE)`);
    const code = 'print(client.stdout.read() if client.poll() is not None else None)';
    await expect.poll(() => session.prints(code)).toBe(`b"b'served'\\n"\n`);
  });

  test('keeps asyncio.run and loops of a program working in a cell', async () => {
    await using session = await open();
    await session.prints('import asyncio\nasync def seven(): return 7');
    for (const code of [
      'asyncio.run(seven())',
      'asyncio.get_event_loop().run_until_complete(seven())',
      'asyncio.new_event_loop().run_until_complete(seven())',
      'await asyncio.sleep(0); print(end=""); x = asyncio.run(seven()); x',
    ])
      expect((await session.done('execute_code', { code })).results).toEqual([{ 'text/plain': '7' }]);
    const nested = 'async def outer(): asyncio.run(seven())\nasyncio.run(outer())';
    expect((await session.cell(nested)).error).toMatch(/^RuntimeError: asyncio.run\(\) cannot be called/);
    // What a program does to the loop is undone by the next cell.
    await session.prints('asyncio.get_running_loop().close()');
    expect(await session.prints('print(await seven())')).toBe('7\n');
    await session.prints('asyncio.get_running_loop().call_soon(exit, 3)');
    expect(await session.prints('print(await seven())')).toBe('7\n');
  });

  test('is idle when nothing is due', async () => {
    await using session = await open();
    const used = 'import asyncio, time; print(time.process_time())';
    await session.prints(`${used}\nlater = asyncio.get_running_loop().call_later(3600, print)`);
    const before = Number(await session.prints(used));
    // Twenty cells wait each for the next.
    for (let i = 0; i < 20; i++) await new Promise(resolve => setTimeout(resolve, 20));
    expect(Number(await session.prints(used)) - before).toBeLessThan(0.1);
  });

  test('gives processes that are started afresh what cells define, or says why not', async () => {
    await using session = await open();
    const defined = `
import multiprocessing
from collections import namedtuple
Pair = namedtuple('Pair', 'x y')
FACTOR = 3
def times(pair): return pair.x * pair.y * FACTOR
context = multiprocessing.get_context('spawn')
print('once')`;
    expect(await session.prints(defined)).toBe('once\n');
    const pool = 'with context.Pool(1) as pool:\n    print(pool.map(times, [Pair(1, 2), Pair(2, 3)]))';
    expect(await session.prints(pool)).toBe('[6, 18]\n');
    const failed = await session.cell(
      'exec("def hidden(x): return x")\nwith context.Pool(1) as pool: pool.map(hidden, [1])',
    );
    expect(failed.error).toMatch(/^PicklingError: hidden can't be given to a process/);
    expect(await session.prints('print(FACTOR)')).toBe('3\n');
  });
});
