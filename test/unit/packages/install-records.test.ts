import { expect, test } from 'vitest';
import { cancelled } from '../../../src/errors.ts';
import { InstallFailed } from '../../../src/packages/install-failed.ts';
import { InstallRecords } from '../../../src/packages/install-records.ts';
import type { InstallRequest } from '../../../src/packages/install-request.ts';
import { python } from '../../../src/packages/python.ts';
import { RegistryLost } from '../../../src/packages/registry-process.ts';
import { CollectedLog } from '../support/collected-log.ts';
import { MemoryRuntime } from '../support/memory-runtime.ts';
import { metrics } from '../support/open-service.ts';

const SECRET = 'secret-name';
const LAYER = { name: 'hidden', id: 'abc', bytes: 70, installed: [] };

async function counted(name: string, labels: string): Promise<number> {
  const text = await metrics.registry.metrics();
  const line = text.split('\n').find(each => each.startsWith(`${name}{${labels}}`));
  return Number(line?.split(' ').at(-1) ?? 0);
}

test('requests for packages are counted by how they end, and logged without what they name', async () => {
  const log = new CollectedLog();
  const list = [{ text: SECRET, name: SECRET, versions: '', pinned: false }];
  const request = { ecosystem: python, list, runtime: new MemoryRuntime(), log } as unknown as InstallRequest;
  const records = new InstallRecords(metrics);
  const ends = ['installed', 'cached', 'shared', 'digest', 'registry_unreachable', 'cancelled', 'internal'];
  const count = (outcome: string) =>
    counted('codebeaker_installs_total', `ecosystem="python",outcome="${outcome}"`);
  const before = await Promise.all(ends.map(count));
  const lost = await counted('codebeaker_confined_processes_lost_total', 'process="registry"');
  const bytes = await counted('codebeaker_installed_bytes_total', 'ecosystem="python"');
  records.begin(request).installed(LAYER);
  records.cached(request, LAYER);
  records.shared(request);
  records.begin(request).failed(new InstallFailed('digest', `${SECRET} lies`));
  records.begin(request).failed(new InstallFailed('registry_unreachable', `nobody has ${SECRET}`));
  records.begin(request).failed(cancelled());
  records.begin(request).failed(new RegistryLost('it has ended'));
  expect(await Promise.all(ends.map(count))).toEqual(before.map(each => each + 1));
  expect(await counted('codebeaker_confined_processes_lost_total', 'process="registry"')).toBe(lost + 1);
  expect(await counted('codebeaker_installed_bytes_total', 'ecosystem="python"')).toBe(bytes + 70);
  expect(JSON.stringify(log.lines)).not.toMatch(new RegExp(`${SECRET}|hidden`));
  const told = log.lines.filter(({ level }) => level !== 'debug');
  expect(told.map(({ outcome }) => outcome)).toEqual(['registry_unreachable', 'internal']);
});
