import { expect, it } from 'vitest';
import { pictureIn, picturesOf } from '../../../routes/mcp/images.ts';

it('takes pictures out of a result, without the line breaks of their base64', () => {
  expect(picturesOf({ 'image/png': 'AAAA\nBB==\n', 'image/svg+xml': '<svg/>', 'text/plain': 'x' })).toEqual({
    rest: { 'image/svg+xml': '<svg/>', 'text/plain': 'x' },
    pictures: [{ type: 'image', data: 'AAAABB==', mimeType: 'image/png' }],
  });
});

it.each(['', 'AAA', 'AA=A', 'A===', 'no base64!', 7, null, ['AAAA']])(
  'leaves %j, which is no base64, where it is',
  data => {
    expect(picturesOf({ 'image/jpeg': data })).toEqual({ rest: { 'image/jpeg': data }, pictures: [] });
  },
);

it.each([
  ['\x89PNG\r\n\x1a\n', 'image/png'],
  ['\xff\xd8\xff\xe0', 'image/jpeg'],
  ['GIF89a', 'image/gif'],
  ['RIFF\0\0\0\0WEBPVP8 ', 'image/webp'],
])('knows a file that begins with %j', (beginning, mimeType) => {
  const content = Buffer.from(`${beginning}…`, 'latin1').toString('base64');
  expect(pictureIn(content)).toEqual({ type: 'image', data: content, mimeType });
});

it('takes no sound for a picture', () => {
  expect(pictureIn(Buffer.from('RIFF\0\0\0\0WAVEfmt ', 'latin1').toString('base64'))).toBeNull();
});
