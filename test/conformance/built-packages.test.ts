import { describe, expect, inject, test } from 'vitest';
import { matrix } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';

/** A project of which there are source archives alone, and a package of npm whose script makes a file of what another package has. */
const { wsUrl } = inject('server');
const rows = (await matrix()).filter(({ language }) => language !== 'typescript');

describe.each(rows.filter(({ dialect }) => dialect === 'python'))('in $name', ({ language, runtimeType }) => {
  test('what has no wheels is installed where it may be built', async () => {
    await using session = await TestSession.open(wsUrl, { language, runtimeType });
    const packages = ['docopt==0.6.2'];
    // A container is refused it by the same service.
    if (runtimeType !== 'Docker') {
      const refused = await session.command('install_packages', { packages });
      expect(refused).toMatchObject({ success: false, result: { reason: 'needs_build' } });
    }
    const { installed } = await session.done('install_packages', { packages, build: true });
    const digest = 'sha256:49b3a825280bd66b3aa83585ef59c4a8c82f2c8a522dbe754a8bc8d08c85c491';
    expect(installed).toMatchObject([{ name: 'docopt', version: '0.6.2', digest }]);
    expect(await session.prints('import docopt; print(docopt.__version__)')).toBe('0.6.2\n');
  });
});

describe.each(rows.filter(({ dialect }) => dialect === 'javascript'))(
  'in $name',
  ({ language, runtimeType }) => {
    test('scripts of packages run where they may', async () => {
      await using session = await TestSession.open(wsUrl, { language, runtimeType });
      const asked = { packages: ['jsonpath@1.0.2'] };
      const made = '/node_modules/jsonpath/generated/aesprim-browser.js';
      const patched = async () => (await session.shell('grep', ['-cs', 'ch == 0x40', made])).stdout;
      await session.done('install_packages', asked);
      expect(await patched()).toBe('');
      const { layer } = await session.done('install_packages', { ...asked, build: true });
      expect(await patched()).toBe('1\n');
      await using other = await TestSession.open(wsUrl, { language, runtimeType });
      const again = await other.done('install_packages', { ...asked, build: true });
      expect(again).toMatchObject({ cached: true, layer });
    });
  },
);
