import { against, type Figure, figure, interleaved } from './measure.ts';
import { openSession, type Setting, subjects } from './setting.ts';

const WRITES = 100;

/** A hundred small writes: as a batch, as one that can be undone, and one call after another. */
export async function batches(setting: Setting): Promise<Figure[]> {
  const figures: Figure[] = [];
  const commands = Array.from({ length: WRITES }, (_, i) => ({
    type: 'write_file',
    path: `d/${i}`,
    content: 'a few words',
  }));
  for (const subject of subjects(setting, 'Python', 'Bun', 'Docker')) {
    setting.say(`batches on ${subject.runtimeType}`);
    await using session = await openSession(setting.server.url, subject);
    const { client, sessionId, run } = session;
    const batch = (more: object) => async () => {
      const { success } = await client.call('execution.runCommands', { sessionId, commands, ...more });
      if (!success) throw new Error('a batch has failed');
    };
    const calls = async () => {
      for (const command of commands) await run(command);
    };
    const works = [batch({}), batch({ transactional: true }), calls];
    await interleaved(2, works);
    const [plain, undoable, each] = await interleaved(setting.quick ? 10 : 30, works);
    const name = `${subject.runtimeType}: ${WRITES} writes of a few bytes`;
    const one = figure('batches', `${name}, one call after another`, 'ms', each!);
    const together = against(figure('batches', `${name}, as a batch`, 'ms', plain!), one);
    const kept = figure('batches', `${name}, as a batch that can be undone`, 'ms', undoable!);
    figures.push(one, together, against(kept, together));
  }
  return figures;
}
