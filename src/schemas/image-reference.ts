import { Type } from '@sinclair/typebox';

/**
 * Names of container images, as github.com/distribution/reference defines them: `[domain/]path[:tag][@digest]`, the name
 * of at most 255 characters, and none that engines take for an identifier. The pattern runs in linear time.
 */
const LABEL = '[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*';
const DOMAIN = `(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const COMPONENT = '[a-z0-9]+(?:(?:\\.|__?|-+)[a-z0-9]+)*';
const TAG = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const ALGORITHM = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*';
/** Of a name: a colon belongs to it where a slash follows. */
const NAME_CHARACTER = '(?:[^:@]|:(?=[^@/]{0,255}/))';
const PATTERN =
  `^(?![a-f0-9]{64}$)(?!${NAME_CHARACTER}{256})(?:${DOMAIN}/)?${COMPONENT}(?:/${COMPONENT})*` +
  `(?::${TAG})?(?:@${ALGORITHM}:[0-9a-fA-F]{32,})?$`;
/** A name, a tag and a digest, and what is between them. */
const MAX_LENGTH = 255 + 1 + 128 + 1 + 255;

export const ImageReference = Type.String({
  minLength: 1,
  maxLength: MAX_LENGTH,
  pattern: PATTERN,
  description: 'the name of a container image, such as registry.example/name:tag',
});

const REFERENCE = new RegExp(PATTERN);
/** What `*` may stand for, so that the whole is a name: a port or tag, any other part, a digest. */
const PARTS = ['1', 'a', `a:${'0'.repeat(32)}`, '0'.repeat(32)];

/** Whether a pattern of the operator's, with `*` for any part, can fit any name. */
export function fitsSome(pattern: string): boolean {
  return PARTS.some(part => {
    const name = pattern.replaceAll('*', part);
    return name.length <= MAX_LENGTH && REFERENCE.test(name);
  });
}
