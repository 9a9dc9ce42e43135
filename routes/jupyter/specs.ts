import type { LanguageInfo, RuntimeInfo } from '../../src/schemas/language.ts';
import { VERSION } from '../../src/version.ts';

/** A kernel that clients may choose. */
export interface Spec {
  readonly name: string;
  readonly displayName: string;
  /** What sessions name it by. */
  readonly language: string;
  /** The runtime that it means, where it means one. */
  readonly runtimeType?: string;
  /** Of the protocol's kernel_info. */
  readonly info: Readonly<Record<string, unknown>>;
}

const python = {
  name: 'python',
  mimetype: 'text/x-python',
  file_extension: '.py',
  pygments_lexer: 'ipython3',
  codemirror_mode: { name: 'ipython', version: 3 },
  nbconvert_exporter: 'python',
};
const javascript = {
  name: 'javascript',
  mimetype: 'text/javascript',
  file_extension: '.js',
  pygments_lexer: 'javascript',
  codemirror_mode: 'javascript',
};
const typescript = {
  name: 'typescript',
  mimetype: 'text/x.typescript',
  file_extension: '.ts',
  pygments_lexer: 'typescript',
  codemirror_mode: 'typescript',
};

/** Under the names that notebooks have: of languages that keep their state from cell to cell. */
const SPECS: readonly Spec[] = [
  { name: 'python3', displayName: 'Python 3', language: 'python', info: python },
  { name: 'javascript', displayName: 'JavaScript', language: 'javascript', info: javascript },
  { name: 'typescript', displayName: 'TypeScript', language: 'typescript', info: typescript },
  { name: 'deno', displayName: 'Deno', language: 'typescript', runtimeType: 'Deno', info: typescript },
];

/** A kernel where nobody names one. */
export const DEFAULT_SPEC = 'python3';

/** Those that can run here now. */
export function availableSpecs(languages: readonly LanguageInfo[]): Spec[] {
  return SPECS.filter(spec => runtimeOf(spec, languages) !== undefined);
}

/** The answer to `GET /api/kernelspecs`. */
export function listSpecs(languages: readonly LanguageInfo[]) {
  const specs = availableSpecs(languages);
  const first = specs.find(({ name }) => name === DEFAULT_SPEC) ?? specs[0];
  return {
    default: first?.name ?? DEFAULT_SPEC,
    kernelspecs: Object.fromEntries(specs.map(spec => [spec.name, describeSpec(spec)])),
  };
}

export function describeSpec({ name, displayName, info }: Spec) {
  const spec = {
    argv: [],
    env: {},
    display_name: displayName,
    language: info.name,
    interrupt_mode: 'message',
    metadata: {},
  };
  return { name, spec, resources: {} };
}

/** The content of `kernel_info_reply` of a kernel that runs on this runtime. */
export function kernelInfo(spec: Spec, languages: readonly LanguageInfo[], runtimeType: string) {
  const runtime = runtimeOf({ ...spec, runtimeType }, languages);
  const version = /\d+(?:\.\d+)*/.exec(runtime?.version ?? '')?.[0] ?? '';
  return {
    status: 'ok',
    protocol_version: '5.3',
    implementation: 'codebeaker',
    implementation_version: VERSION,
    language_info: { ...spec.info, version },
    banner: `${spec.displayName.replace(/ \d+$/, '')} ${version} in a sandbox of CodeBeaker`,
    debugger: false,
    supported_features: [],
    help_links: [],
  };
}

function runtimeOf(
  { language, runtimeType }: Pick<Spec, 'language' | 'runtimeType'>,
  languages: readonly LanguageInfo[],
): RuntimeInfo | undefined {
  return languages
    .find(({ name }) => name === language)
    ?.runtimes.find(
      each => each.available && (runtimeType === undefined || each.runtimeType === runtimeType),
    );
}
