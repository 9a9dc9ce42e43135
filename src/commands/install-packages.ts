import { Type } from '@sinclair/typebox';
import { invalid } from '../errors.ts';
import { FileRefused } from '../sandbox.ts';
import { named } from '../schemas/named.ts';
import { InstalledPackage, InstallReason, PackageList } from '../schemas/packages.ts';
import { closed } from '../schemas/shapes.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { timeout } from './fields.ts';
import { workspacePath } from './paths.ts';

const MAX_FILE_BYTES = 256 * 1024;

export const installPackages = defineCommand({
  type: 'install_packages',
  summary: 'Installs packages for the session: every cell and program that starts afterwards finds them',
  params: closed({
    packages: Type.Optional(PackageList),
    requirementsFile: Type.Optional(
      Type.String({
        description:
          'Instead of packages: a file below /workspace of plain requirements: a requirements.txt, a package.json or a go.mod',
      }),
    ),
    manager: Type.Optional(
      Type.String({
        description:
          'uv or pip for Python, bun or npm for JavaScript and TypeScript, of which the first installs either way, go for Go; by default that of the session’s language',
      }),
    ),
    build: Type.Optional(
      Type.Boolean({
        default: false,
        description:
          'Source packages of Python are built, and install scripts of npm’s run: in a sandbox of their own that reaches nothing but the ' +
          'registry. What comes of it is for this key’s clients alone, and what the session installs afterwards is built too. false: ' +
          'what must be built is not installed, and no script of a package runs',
      }),
    ),
    timeout,
  }),
  result: Type.Union([
    named(
      'InstallResult',
      Type.Object(
        {
          manager: Type.String({ description: 'What installed them' }),
          layer: Type.String({
            description: 'Names what is installed by its content, and by what was asked for',
          }),
          installed: Type.Array(InstalledPackage, {
            description: 'All that the session has, dependencies included',
          }),
          cached: Type.Boolean({ description: 'It was there already' }),
          durationMs: Type.Integer({ description: 'Wall time, milliseconds' }),
          restartNeeded: Type.Array(Type.String(), {
            description:
              'Packages that were there in another version, which an interpreter that has imported one keeps',
          }),
        },
        { description: 'What was installed' },
      ),
    ),
    named(
      'InstallFailure',
      Type.Object(
        {
          outcome: Type.Literal('install_error', { description: 'Nothing was installed' }),
          reason: InstallReason,
          words: Type.String({ description: "The installer's last words; empty where it had none" }),
        },
        { description: 'Why nothing was installed' },
      ),
    ),
  ]),
  async run({ packages, requirementsFile, manager, build, timeout }, context) {
    if (packages !== undefined && requirementsFile !== undefined)
      throw invalid('requirementsFile', 'given beside packages: one of the two is installed');
    if (packages === undefined && requirementsFile === undefined)
      throw invalid('packages', 'missing, as is requirementsFile');
    const field = packages ? 'packages' : 'requirementsFile';
    const file = requirementsFile === undefined ? undefined : await read(requirementsFile, context);
    const spec = { list: packages ?? [], field, manager, build, timeout, ...(file && { file }) };
    const outcome = await context.installPackages(spec);
    if (!('failed' in outcome)) return { result: outcome };
    const { sentence, reason, words } = outcome.failed;
    return { result: { outcome: 'install_error' as const, reason, words }, error: `${sentence} (${reason})` };
  },
});

async function read(file: string, context: CommandContext): Promise<{ path: string; text: string }> {
  const path = workspacePath(file, 'requirementsFile');
  const { data, size } = await context.files.read(path, { length: MAX_FILE_BYTES });
  if (size > MAX_FILE_BYTES) throw new FileRefused(`${path} is more than ${MAX_FILE_BYTES} bytes`);
  return { path, text: Buffer.from(data).toString('utf8') };
}
