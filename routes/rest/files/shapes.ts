import { Type } from '@sinclair/typebox';

const Header = (description: string) => Type.Optional(Type.String({ description }));

/** What a reader of a file may send. */
export const FileHeaders = Type.Object({
  range: Header('bytes=FIRST-LAST: one part (RFC 9110)'),
  'if-range': Header('An ETag or date: the part only of that version, else all of it'),
  'if-none-match': Header('ETags: 304 when the file is one of these versions'),
  'if-match': Header('ETags: 412 when the file is none of these versions'),
  'accept-encoding': Header('zstd, br, gzip: of texts that are asked for whole'),
});

const IfMatch = Header(
  'ETags: it changes only one of these versions of the file, else 412; *: only one that is there',
);

/** What may be sent with a deletion. */
export const DeleteHeaders = Type.Object({ 'if-match': IfMatch });

/** What a writer may send. */
export const UploadHeaders = Type.Object({
  'content-encoding': Header('gzip, br or zstd: what was compressed for the way is kept uncompressed'),
  'content-digest': Header(
    'sha-256=:BASE64: of the body as it is sent (RFC 9530); repr-digest and digest as well',
  ),
  'if-match': IfMatch,
  'if-none-match': Header('*: only where nothing of that name is there, else 412'),
  'x-file-mode': Header('Permissions in octal; by default those of the file that is there, or 644'),
});

/** Bytes as they are, for a contract. */
export const bytes = (description: string) => ({
  description,
  content: {
    'application/octet-stream': { schema: Type.Unsafe<unknown>({ type: 'string', format: 'binary' }) },
  },
});

/** The same of an archive. */
export const archive = (description: string) => ({
  description,
  content: { 'application/x-tar': { schema: Type.Unsafe<unknown>({ type: 'string', format: 'binary' }) } },
});

/** An answer without a body. */
export const nothing = (description: string) => Type.Null({ description });
