import { describe, expect, inject, test } from 'vitest';
import { matrix } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';

/** What notebooks write to install packages ends in the same place as `install_packages`. */
const { wsUrl } = inject('server');
const rows = (await matrix()).filter(({ language }) => language === 'python');

describe.each(rows)('pip in a cell of $name', ({ language, runtimeType }) => {
  test('installs before the cell begins, which has its whole time, and says what came of it', async () => {
    await using session = await TestSession.open(wsUrl, { language, runtimeType });
    const code = `
%pip install -q tabulate==0.9.0
!pip install 'nosuch-package-of-anybody==1' # never there
print(_exit_code)
import tabulate
print(tabulate.__file__)`;
    const { stdout, stderr } = await session.done('execute_code', { code, timeout: 10 });
    expect(stdout).toBe('1\n/home/sandbox/.packages/python/tabulate/__init__.py\n');
    expect(stderr).toMatch(/^ERROR: There is no package nosuch-package-of-anybody \(not_found\)\n/);
    expect(await session.prints('out = !pip install tabulate\nprint(_exit_code, out)')).toBe(
      "0 ['Installed for this session: tabulate-0.9.0']\n",
    );
    expect((await session.shell('python3', ['-c', 'import tabulate'])).exitCode).toBe(0);
    // A program decides nothing about it: names are those of the cell's text.
    const { stderr: refused } = await session.done('execute_code', {
      code: 'name = "six"\n!pip install {name}\n!pip install --index-url http://192.0.2.1 six',
    });
    expect(refused).toMatch(/^ERROR: \{name\}: .*\nERROR: --index-url has no meaning here\n$/);
    const text =
      'code = "!pip install " + "six"\nget = compile("1", "", "eval")\n__magic__.system("pip install six", {})';
    expect((await session.done('execute_code', { code: text })).stderr).toContain('no network');
    expect((await session.cell('import six_of_nobody')).error).toContain('No module named');
  });
});
