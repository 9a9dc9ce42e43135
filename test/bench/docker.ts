import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Bare } from './bare.ts';
import { against, type Figure, figure, interleaved } from './measure.ts';
import { oneShot, openSession, type Setting, subjects } from './setting.ts';

const run = promisify(execFile);
/** What is compared in containers, and in which. */
export const PYTHON = ['python3', '-c', 'pass'];
export const IMAGE = 'codebeaker-python';

/** The engine's own client against a one-shot and a session's command in a container. */
export async function containers(setting: Setting): Promise<Figure[]> {
  const [subject] = subjects(setting, 'Docker');
  const client = await run('docker', ['version']).catch(() => null);
  if (!subject || !client) return [];
  setting.say('docker run and docker exec');
  const rounds = setting.quick ? 5 : 15;
  const bare = new Bare();
  const flags = ['--rm', '--network', 'none', '--read-only', '--cap-drop', 'ALL', '--memory', '512m'];
  const [cli, warm, cold] = await interleaved(
    rounds,
    [
      () => bare.run('docker', 'run', ...flags, IMAGE, ...PYTHON),
      () => oneShot(setting.server.url, subject),
      () => oneShot(setting.cold.url, subject),
    ],
    500,
  );
  const own = figure('docker', 'docker run', 'ms', cli!);
  const { stdout } = await run('docker', ['run', '-d', ...flags, IMAGE, 'sleep', '600']);
  const container = stdout.trim();
  try {
    await using session = await openSession(setting.server.url, subject);
    const command = { type: 'execute_shell', commandName: PYTHON[0], args: PYTHON.slice(1) };
    const [exec, shell] = await interleaved(rounds, [
      () => bare.run('docker', 'exec', container, ...PYTHON),
      () => session.run(command),
    ]);
    const byExec = figure('docker', 'docker exec', 'ms', exec!);
    return [
      own,
      against(figure('docker', 'one-shot, warm container', 'ms', warm!), own),
      against(figure('docker', 'one-shot, cold container', 'ms', cold!), own),
      byExec,
      against(figure('docker', 'execute_shell in a session', 'ms', shell!), byExec),
    ];
  } finally {
    bare.close();
    await run('docker', ['rm', '-f', container]);
  }
}
