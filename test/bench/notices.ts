import { once } from 'node:events';
import { WebSocket } from 'ws';
import { type Figure, figure, pause } from './measure.ts';
import { openSession, type Setting, subjects } from './setting.ts';

const GROUP = 'status';
const BUSY = 100;
/** Each computes for a hundredth of the time: together they keep a core busy. */
const BUSY_CELL = `import time
while True:
    until = time.process_time() + 0.005
    while time.process_time() < until: pass
    time.sleep(0.5)`;
/** Its last act is to look at the clock of the machine. */
const PROBE = 'import time; time.time() * 1000';

/** From what happens to the socket of a client of /ws/status: by itself, and beside a hundred sessions whose cells compute. */
export async function notices(setting: Setting): Promise<Figure[]> {
  const { server, say, quick } = setting;
  const [subject] = subjects(setting, 'Python');
  if (!subject) return [];
  const rounds = quick ? 50 : 300;
  await using probe = await openSession(server.url, subject);
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/status`);
  await once(socket, 'open');
  const arrivals: { at: number; told: number }[] = [];
  socket.on('message', (data: Buffer) => {
    const at = Date.now();
    const { method, params } = JSON.parse(String(data));
    if (method === 'execution.completed') arrivals.push({ at, told: Date.parse(params.at) });
  });
  socket.send(JSON.stringify({ subscribe: ['execution.completed'], sessionId: probe.sessionId }));
  await probe.run({ type: 'execute_code', code: PROBE });
  const measure = async (name: string) => {
    const ofPrograms: number[] = [];
    const ofService: number[] = [];
    for (let i = 0; i < rounds; i++) {
      const before = arrivals.length;
      const { result } = await probe.run({ type: 'execute_code', code: PROBE });
      while (arrivals.length === before) await pause(1);
      const { at, told } = arrivals.at(-1)!;
      ofPrograms.push(Math.max(0, at - Number(result)));
      ofService.push(Math.max(0, at - told));
    }
    return [
      figure(GROUP, `a cell's last act to the socket, ${name}`, 'ms', ofPrograms),
      figure(GROUP, `an event to the socket, ${name}`, 'ms', ofService),
    ];
  };
  say('notices of a quiet server');
  const quiet = await measure('nothing beside it');
  const busy: Awaited<ReturnType<typeof openSession>>[] = [];
  try {
    while (busy.length < BUSY) {
      say(`notices: ${busy.length} of ${BUSY} sessions`);
      busy.push(await openSession(server.url, subject));
    }
    for (const { run } of busy) run({ type: 'execute_code', code: BUSY_CELL }).catch(() => {});
    await pause(1000);
    return [...quiet, ...(await measure(`${BUSY} busy sessions beside it`))];
  } finally {
    socket.terminate();
    for (const session of busy) await session[Symbol.asyncDispose]();
  }
}
