const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is none',
  EACCES: 'it is not allowed',
  EPERM: 'it is not allowed',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is no directory',
  ENOTEMPTY: 'it is a directory',
  EEXIST: 'a part of its path is no directory',
  EROFS: 'it is on a disk that is only read',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk is full for this user',
  EFBIG: 'it is larger than a file may be',
  ENAMETOOLONG: 'its name is too long',
  ELOOP: 'its links lead in a circle',
  EIO: 'the disk fails',
  EADDRINUSE: 'something else listens there',
};

/** Why something of this machine failed, in words. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return WORDS[code ?? ''] ?? message;
}
