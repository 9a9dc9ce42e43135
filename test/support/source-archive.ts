import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import type { IndexedFile } from './python-index.ts';

/**
 * A source archive that brings its own backend (PEP 517, `backend-path`) and needs nothing of an index. `building`: Python that runs while it
 * is built, to which `files`, what its wheel will hold, is a dict of texts by their paths.
 */
export async function sourceArchive(name: string, version: string, building: string): Promise<IndexedFile> {
  const archive = pack();
  const files = {
    'pyproject.toml': '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    'PKG-INFO': `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    'backend.py': backend(name, version, building),
  };
  for (const [path, text] of Object.entries(files))
    archive.entry({ name: `${name}-${version}/${path}` }, text);
  archive.finalize();
  return { filename: `${name}-${version}.tar.gz`, content: gzipSync(await buffer(archive)) };
}

/** As an index names it. */
export const digestOf = ({ content }: IndexedFile) =>
  `sha256:${createHash('sha256').update(content).digest('hex')}`;

function backend(name: string, version: string, building: string): string {
  return `
import base64, hashlib, os, zipfile
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
  files = {'${name}.py': 'built = True\\n'}
  exec(${JSON.stringify(building)}, {'files': files})
  info = '${name}-${version}.dist-info/'
  files[info + 'METADATA'] = 'Metadata-Version: 2.1\\nName: ${name}\\nVersion: ${version}\\n'
  files[info + 'WHEEL'] = 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n'
  lines = []
  for path, text in files.items():
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()
    lines.append(f'{path},sha256={digest},{len(text.encode())}')
  files[info + 'RECORD'] = '\\n'.join([*lines, info + 'RECORD,,', ''])
  wheel = '${name}-${version}-py3-none-any.whl'
  with zipfile.ZipFile(os.path.join(wheel_directory, wheel), 'w') as archive:
    for path, text in files.items(): archive.writestr(path, text)
  return wheel
`;
}
