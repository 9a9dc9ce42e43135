import { expect, inject } from 'vitest';
import { needs } from '../support/needs.ts';
import { Screen } from '../support/screen.ts';
import { TestSession } from '../support/session.ts';
import { Terminal } from '../support/terminal.ts';

/** Programs for a whole screen, as a client's xterm.js shows them: those of the machine, in a sandbox that has them. */
const server = inject('server');
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const CTRL_Z = '\u001a';
const ESCAPE = '\u001b';
const UP = '\u001b[A';

async function openShell(session: TestSession) {
  const shell = await Terminal.open(session, 'bash', ['--norc', '--noprofile', '-i'], {
    environment: { PS1: 'ready$ ', LC_ALL: 'C.UTF-8' },
  });
  const screen = new Screen(shell);
  const shows = (pattern: RegExp) => expect.poll(() => screen.text()).toMatch(pattern);
  await shows(/^ready\$$/m);
  return { shell, screen, shows, keys: (text: string) => shell.types(text, '') };
}

needs('vim')(
  'vim has the screen, its size and its keys, is stopped and gone on with, and others see the same',
  async () => {
    await using session = await TestSession.open(server.wsUrl, { language: 'python' });
    const { shell, screen, shows, keys } = await openShell(session);
    await keys('echo before\r');
    await shows(/^before$/m);
    await keys('vim -u NONE -N notes\r');
    await shows(/^~$/m);
    expect(await screen.isAlternate()).toBe(true);
    await keys(`igrüße, 漢字 and 👍${ESCAPE}`);
    await shows(/^grüße, 漢字 and 👍$/m);

    await screen.resize(100, 30);
    await shows(/^~(\n~){27}$/m);
    await keys(':put =&columns\r');
    await shows(/^grüße, 漢字 and 👍\n100$/m);

    await using other = await shell.elsewhere(server.wsUrl);
    const second = new Screen(other, { cols: 100, rows: 30 });
    const areAlike = async () => (await second.text()) === (await screen.text());
    await expect.poll(areAlike).toBe(true);
    expect(await second.isAlternate()).toBe(true);
    await other.types('ofrom the other', '');
    await shows(/^from the other$/m);
    await keys(ESCAPE);

    await keys(CTRL_Z);
    await shows(/^before$[\s\S]*Stopped[\s\S]*^ready\$$/m);
    expect(await screen.isAlternate()).toBe(false);
    await keys('fg\r');
    await shows(/^grüße, 漢字 and 👍\n100\nfrom the other\n~$/m);
    await keys(':wq\r');
    await shows(/^before$[\s\S]*^ready\$$/m);
    await keys('clear; cat notes\r');
    await shows(/^grüße, 漢字 and 👍\n100\nfrom the other\nready\$$/m);
  },
);

needs('top', 'less')('top and less have it while they run, and python3 has a line to be edited', async () => {
  await using session = await TestSession.open(server.wsUrl, { language: 'python' });
  const { screen, shows, keys } = await openShell(session);
  await keys("printf '\\033[31mred\\033[0m\\n\\xe6'; sleep 0.05; printf '\\xbc\\xa2\\n'\r");
  await shows(/^red\n漢$/m);
  expect(await screen.colourOf('red')).toBe(1);

  await keys('top -d 1\r');
  await shows(/^ +PID USER [\s\S]*\btop$/m);
  await keys(CTRL_C);
  await shows(/^ready\$$/m);

  await keys('clear; seq 500 | less\r');
  await shows(/^23\n:$/m);
  expect(await screen.isAlternate()).toBe(true);
  await keys(' ');
  await shows(/^46\n:$/m);
  await keys('G');
  await shows(/^500\n\(END\)$/m);
  await keys('q');
  await shows(/^ready\$$/m);
  expect(await screen.isAlternate()).toBe(false);

  await keys('python3 -q\r');
  await shows(/^>>>$/m);
  await keys('6 * 7\r');
  await shows(/^42\n>>>$/m);
  await keys(`${UP}+ 1\r`);
  await shows(/^43\n>>>$/m);
  await keys('while True: pass\r\r');
  await shows(/^\.\.\.\s*$/m);
  await keys(CTRL_C);
  await shows(/^KeyboardInterrupt\n>>>$/m);
  await keys(CTRL_Z);
  await shows(/Stopped +python3 -q\nready\$$/m);
  await keys('fg\r');
  await shows(/^python3 -q$/m);
  await keys('print("back")\r');
  await shows(/^back\n>>>$/m);
  await keys(CTRL_D);
  await shows(/^ready\$$/m);
});
