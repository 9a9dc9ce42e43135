const CLOSED = 'it closed the connection';
const UNTRUSTED =
  'its certificate is from nobody whom this service trusts (CODEBEAKER_CA_FILE names whom it trusts beside the machine)';

/** By its code, an error whose own words are a library's, hold names of a certificate, or advise what is not done here. */
const WORDS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  CERT_UNTRUSTED: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for other names',
  INVALID_PURPOSE: 'its certificate is not one for servers',
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  // A proxy that answers with anything but 200.
  UND_ERR_ABORTED: 'no way to it was opened',
  UND_ERR_SOCKET: CLOSED,
  Z_DATA_ERROR: 'it sent what can not be unpacked',
};

interface Failure {
  readonly name: string;
  readonly message: string;
  readonly cause?: unknown;
  /** A number where it is one of the web's. */
  readonly code?: unknown;
  readonly syscall?: unknown;
  /** OpenSSL's words, without its numbers and the places in its source. */
  readonly reason?: unknown;
}

/** Why a registry can't be read. Without names and addresses: of a proxy on the way, whose they may be, no client is told. */
export function whyOf(error: unknown): string {
  if ((error as Failure).name === 'AbortError') return 'it sent nothing for too long';
  let inner = error;
  while ((inner as Failure).cause instanceof Error) inner = (inner as Failure).cause;
  const { code, message, reason, syscall } = (
    inner instanceof AggregateError ? inner.errors.at(-1) : inner
  ) as Failure;
  if (typeof code !== 'string') return message;
  if (Object.hasOwn(WORDS, code)) return WORDS[code]!;
  if (code.startsWith('ERR_SSL_') && typeof reason === 'string') return `TLS was not agreed on: ${reason}`;
  if (typeof syscall === 'string') return `${syscall} ${code}`;
  return code === 'ECONNRESET' ? CLOSED : message;
}
