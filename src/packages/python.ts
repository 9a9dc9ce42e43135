import type { Ecosystem, Step, StepParts } from './ecosystem.ts';
import { STORE } from './layer.ts';
import { allowsInPython } from './python-versions.ts';
import { spelledInPython } from './registry/spelled-in-python.ts';
import { pythonRequirements } from './requirements.ts';

const OUT = '/workspace/out';
/** Where programs find what is installed for their session; src/kernels/every-python looks for it. */
const LINK = '/home/sandbox/.packages/python';
/** Nobody imports the tests of what is installed, and they are more than half of what there is to compile. */
const NOT_COMPILED = '/tests?/';

/** Of other installers and ecosystems, whose lines are no requirements. */
const OTHER_FILES = /\.(?:json|toml|lock|ya?ml|mod|sum)$/;

/** uv, as its project publishes it: one static program for each machine. */
const UV_VERSION = '0.13.9';
const UV = {
  x64: {
    file: `uv-${UV_VERSION}-py3-none-musllinux_1_1_x86_64.whl`,
    sha256: '2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25',
  },
  arm64: {
    file: `uv-${UV_VERSION}-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64.whl`,
    sha256: '5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe',
  },
} as const;

/** Nothing of another kind is given to uv as an argument. */
const PIN = /^[A-Za-z0-9][\w.-]*==[\w.!+-]+$/;
/** What uv says last of what it would do. */
const WOULD_INSTALL = /(?:^|\n)Would install (\d+) packages?\n((?: \+ [^\s=]+==[^\s=]+\n?)+)$/;

/**
 * Python: wheels, and where a request allows it source archives, by uv, which builds each in an environment of its own. Compiling them takes many times as long as unpacking them, and nobody can write beside a layer's modules:
 * they are compiled for a second layer, while the first is used. The compiled files are not compared with their sources: neither changes.
 */
export const python: Ecosystem = {
  name: 'python',
  manager: 'uv',
  otherManagers: ['pip'],
  links: { [LINK]: 'python' },
  path: `${LINK}/bin`,
  portable: false,
  builds: true,
  spelled: spelledInPython,
  allows: allowsInPython,
  parse: pythonRequirements,
  listIn: (file, text) => {
    if (OTHER_FILES.test(file)) return null;
    // To the line's end, whatever else ends one: where that is no match, each sign would be looked behind of in vain.
    const lines = text.split(/\r?\n/).map(line => line.replace(/(^|\s)#.*$/s, '').trim());
    return lines.filter(line => line !== '');
  },
  tool: arch => {
    const wheel = UV[arch as keyof typeof UV];
    return wheel ? { kind: 'tool', project: 'uv', program: 'uv', ...wheel } : null;
  },
  files: () => ({}),
  joinsLists: false,
  picks: false,
  resolution: {
    step: parts => install(parts, textsOf(parts), '--dry-run'),
    parts: {
      only: (parts, pins) => install(parts, pins, '--no-deps'),
      versionIn: pin => {
        const [name = '', version = ''] = pin.split('==');
        return { [spelledInPython(name)]: version };
      },
      about: { directory: 'python', suffix: '.dist-info', file: 'METADATA' },
    },
    holds({ installed }, pins) {
      const there = new Set(installed.map(({ name, version }) => `${spelledInPython(name)}==${version}`));
      return there.size === pins.length && pins.every(pin => there.has(pin));
    },
    pinsIn(words) {
      const [, count, lines = ''] = WOULD_INSTALL.exec(words) ?? [];
      const pins = [...lines.matchAll(/^ \+ (\S+)$/gm)].map(([, pin = '']) => pin);
      const whole = count !== undefined && pins.length === Number(count);
      return whole && pins.every(pin => PIN.test(pin)) ? pins : null;
    },
  },
  steps: parts => [install(parts, textsOf(parts))],
  later: [
    {
      argv: [
        // By one process: of two, one would take a core from those who use the first layer.
        ...['python3', '-I', '-m', 'compileall', '-qq', '--invalidation-mode', 'unchecked-hash'],
        ...['-x', NOT_COMPILED, '-s', `${OUT}/python`, '-p', LINK, `${OUT}/python`],
      ],
      env: {},
    },
  ],
  out: OUT,
  reasonOf(words) {
    if (/there (?:is|are) no versions? of|not found in the package registry/.test(words)) return 'not_found';
    if (/Failed to build /.test(words)) return 'needs_build';
    if (/no wheels with a matching|no usable wheels|has no wheels|requires building/.test(words))
      return 'needs_build';
    return null;
  },
};

const textsOf = ({ list }: StepParts) => list.map(({ text }) => text);

function install(
  { toolLayer, gateway, build }: StepParts,
  wanted: readonly string[],
  ...options: readonly string[]
): Step {
  return {
    argv: [
      `${STORE}/${toolLayer}/uv`,
      ...['pip', 'install', ...options, '--python', 'python3', '--target', `${OUT}/python`],
      ...(build ? [] : ['--no-build']),
      ...['--default-index', `${gateway}/simple/`, '--', ...wanted],
    ],
    env: {
      UV_CACHE_DIR: '/workspace/cache',
      UV_LINK_MODE: 'hardlink',
      UV_NO_CONFIG: '1',
      UV_NO_PROGRESS: '1',
      UV_PYTHON_DOWNLOADS: 'never',
      UV_HTTP_RETRIES: '0',
      NO_COLOR: '1',
    },
  };
}
