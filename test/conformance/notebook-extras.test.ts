import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { matrix } from '../support/matrix.ts';
import { needs } from '../support/needs.ts';
import { TestSession } from '../support/session.ts';

/** What notebooks hold besides lines of magic. */
const server = inject('server');
const cells = (await matrix()).filter(({ dialect }) => dialect === 'python');

const PRINTED = [
  ['  %time x = 5\n  print(x)', /Wall time: .*\n5\n$/],
  ['    y = 6\n    if y:\n        print(y)', /^6\n$/],
  ['%%bash -e\necho before\nfalse\necho after', /^before\n$/],
  ['%%bash -s one two\necho $2', /^two\n$/],
] as const;

describe.for(cells)('$language on $runtimeType', ({ language, runtimeType }) => {
  test('runs cells that are indented, and shells with options', async () => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    for (const [code, printed] of PRINTED)
      expect((await session.cell(code)).result.stdout, code).toMatch(printed);
  });

  test('shows sound, films and other things as HTML', async () => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    const code = `
from IPython.display import Audio, FileLinks, GeoJSON, ProgressBar, Video, VimeoVideo, display, display_html, display_markdown
open('film.mp4', 'wb').write(b'film')
bar = ProgressBar(4); bar.progress = 1
display(Audio([0, 0.5, -0.5], rate=8000), Audio(url='https://example.com/a.mp3', autoplay=True), Video('film.mp4', width=200), bar)
display(VimeoVideo('1'), GeoJSON({'type': 'Point'}), FileLinks('.'))
display_html('<b>raw</b>', raw=True); display_markdown('# raw', raw=True)`;
    const { results } = await session.done('execute_code', { code });
    const [sound, linked, film, ...others] = results.map(
      (each: Record<string, unknown>) => each['text/html'],
    );
    expect(Buffer.from(sound.split('base64,')[1].split('"')[0], 'base64').toString('latin1')).toMatch(
      /^RIFF.*WAVE/s,
    );
    expect(linked).toBe('<audio controls src="https://example.com/a.mp3" autoplay></audio>');
    expect(film).toBe('<video controls src="data:video/mp4;base64,ZmlsbQ==" width="200"></video>');
    expect(others[0]).toBe('<progress max="4" value="1"></progress>');
    expect(others[1]).toContain('player.vimeo.com');
    expect(results[5]['application/geo+json']).toEqual({ type: 'Point' });
    expect(others[3]).toContain('film.mp4');
    expect(results.slice(7)).toMatchObject([{ 'text/html': '<b>raw</b>' }, { 'text/markdown': '# raw' }]);
  });
});

needs('matplotlib')('a figure that is shown twice and did not change is one picture', async () => {
  await using session = await TestSession.open(server.wsUrl, { language: 'python', runtimeType: 'Python' });
  const code = (between: string) =>
    `import matplotlib.pyplot as plt\nplt.plot([1]); plt.show(block=False); ${between}; plt.show()`;
  expect((await session.done('execute_code', { code: code('None') })).results).toHaveLength(1);
  expect((await session.done('execute_code', { code: code('plt.plot([2])') })).results).toHaveLength(2);
});
