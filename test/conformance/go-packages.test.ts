import { describe, expect, inject, test } from 'vitest';
import { compiled } from '../support/matrix.ts';
import { runOnce } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';

/** Modules from the proxy of the server that tests share (test/support/shared-server.ts), which has a checksum database. */
const { url, wsUrl } = inject('server');
const GREETS = 'greets.test/greets';
const printing = (what: string) => `package main

import (
	"fmt"
	"greets.test/greets"
)

func main() { fmt.Println(${what}) }
`;

const rows = (await compiled()).filter(({ language }) => language === 'go');

describe.each(rows)('modules of Go in $name', ({ runtimeType }) => {
  const where = { language: 'go', runtimeType };

  test('are there for a program, which has no network, and where none of their files can be written', async () => {
    const code = `package main

import (
	"fmt"
	"net"
	"os"
	"syscall"

	"greets.test/greets"
)

func main() {
	fmt.Println(greets.Text, greets.Map([]int{1, 2}, func(n int) int { return 2 * n }))
	_, err := net.Dial("tcp", "127.0.0.1:3128")
	fmt.Println(err)
	const module = "/home/sandbox/.packages/go/mod/greets.test/greets@v1.1.0"
	for _, err := range []error{
		os.WriteFile(module+"/x.go", nil, 0o600),
		os.Chmod(module, 0o777),
		os.Rename("/go.mod", "/mod"),
	} {
		fmt.Println(err.(interface{ Unwrap() error }).Unwrap().(syscall.Errno) == syscall.EROFS)
	}
	_, err = os.ReadDir("/packages")
	fmt.Println(os.IsPermission(err))
}
`;
    const end = await runOnce(url, { ...where, code, config: { packages: [`${GREETS}@v1.1.0`] } });
    expect(end).toMatchObject({ status: 'completed', outcome: 'ok', stderr: '' });
    expect(end.stdout.split('\n')).toEqual([
      'greets, the second [2 4]',
      'dial tcp 127.0.0.1:3128: connect: connection refused',
      ...['true', 'true', 'true', 'true', ''],
    ]);
  });

  test('are there for cells and shells of a session, from the moment they are installed', async () => {
    await using session = await TestSession.open(wsUrl, where);
    expect((await session.cell(printing('greets.Text'))).error).toContain('no required module');
    const before = await session.done('list_directory', { path: '.' });
    const first = await session.done('install_packages', { packages: [`${GREETS}@v1.0.0`] });
    expect(first).toMatchObject({
      manager: 'go',
      installed: [{ name: GREETS, version: 'v1.0.0', digest: expect.stringMatching(/^h1:[\w+/]{43}=$/) }],
      restartNeeded: [],
    });
    expect(await session.prints(printing('greets.Text'))).toBe('greets, the first\n');
    expect(await session.done('list_directory', { path: '.' })).toEqual(before);
    const second = await session.done('install_packages', { packages: [`${GREETS}@v1.1.0`] });
    expect(second).toMatchObject({
      installed: [
        { name: 'greets.test/Words/v2', version: 'v2.3.4' },
        { name: GREETS, version: 'v1.1.0' },
      ],
      restartNeeded: [GREETS],
    });
    await session.done('write_file', { path: 'main.go', content: printing('greets.Text') });
    expect((await session.shell('go', ['run', 'main.go'])).stdout).toBe('greets, the second\n');
    // What fails changes nothing.
    const failed = await session.command('install_packages', { packages: [`${GREETS}@v9.9.9`] });
    expect(failed).toMatchObject({ success: false, result: { reason: 'not_found' } });
    expect(failed.error).toContain(`There is no ${GREETS}@v9.9.9`);
    // A go.mod is a list too.
    const own = `module own\n\ngo 1.21\n\nrequire ${GREETS} v1.0.0 // the old one\n`;
    await session.done('write_file', { path: 'own/go.mod', content: own });
    const older = await session.done('install_packages', { requirementsFile: 'own/go.mod' });
    expect(older).toMatchObject({ cached: true, installed: [{ name: GREETS, version: 'v1.0.0' }] });
    expect((await session.shell('go', ['run', 'main.go'])).stdout).toBe('greets, the first\n');
  });
});

test('a list that is none of Go’s is refused, naming its entry', async () => {
  await using session = await TestSession.open(wsUrl, { language: 'go', runtimeType: rows[0]!.runtimeType });
  const refuses = async (...packages: string[]) => {
    const command = { type: 'install_packages', packages };
    return (await session.client.refused('session.execute', { sessionId: session.id, command })).data;
  };
  expect(await refuses(GREETS, '-u')).toMatchObject({ field: 'command.packages[1]' });
  expect(await refuses('fmt')).toMatchObject({ code: 'VALIDATION_ERROR', field: 'command.packages[0]' });
  const command = { type: 'install_packages', packages: [GREETS], build: true };
  const built = await session.client.refused('session.execute', { sessionId: session.id, command });
  expect(built.data).toMatchObject({ code: 'NOT_SUPPORTED', field: 'command.build' });
});
