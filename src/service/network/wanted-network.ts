import { invalid, notSupported } from '../../errors.ts';
import type { Networks } from '../../network/networks.ts';
import { formatBlock } from '../../network-rules/address.ts';
import { beyond, MAX_PORTS, type PolicyTexts, portsOf } from '../../network-rules/policy.ts';
import { BadRule, parseRule, type Rule } from '../../network-rules/rule.ts';
import { allOf } from '../../network-rules/settings.ts';
import type { Egress } from '../../runtimes/runtime.ts';
import type { NetworkRules } from '../../schemas/network.ts';

export interface WantedNetwork {
  readonly rules: PolicyTexts;
  readonly egress: Egress;
}

/** What of a request is about its network, and where it says so. */
export interface NetworkWish {
  readonly network: NetworkRules | undefined;
  /** Undefined: not said. */
  readonly enabled: boolean | undefined;
  readonly fields: { readonly network: string; readonly enabled: string };
}

/**
 * What a request's rules mean; null for no network.
 * @throws {ServiceError} VALIDATION_ERROR naming the rule, NOT_SUPPORTED for more than the operator allows
 */
export function wantedNetwork(
  { network, enabled, fields }: NetworkWish,
  networks: Pick<Networks, 'ceiling' | 'proxied'> | null,
): WantedNetwork | null {
  if (network && enabled === false) throw invalid(fields.enabled, `contradicts ${fields.network}`);
  if (!network && !enabled) return null;
  const field = network ? fields.network : fields.enabled;
  if (!networks) throw notSupported(field, 'the operator of this server lets programs have no network');
  const rules = network
    ? { allow: network.allow, deny: network.deny ?? [] }
    : { allow: allOf(networks.ceiling), deny: [] };
  return checked(rules, field, networks);
}

/** @throws {ServiceError} as above */
export function checked(
  rules: PolicyTexts,
  field: string,
  { ceiling, proxied }: Pick<Networks, 'ceiling' | 'proxied'>,
): WantedNetwork {
  const [allow] = (['allow', 'deny'] as const).map(which =>
    rules[which].map((text, i) => parsed(text, `${field}.${which}[${i}]`)),
  );
  const tooMuch = beyond(rules.allow, ceiling);
  if (tooMuch !== null) {
    const at = `${field}.allow[${rules.allow.indexOf(tooMuch)}]`;
    throw notSupported(at, `${tooMuch} is more than the operator of this server allows`);
  }
  if (portsOf(allow!).length > MAX_PORTS)
    throw invalid(`${field}.allow`, `names more than ${MAX_PORTS} ports in all; name those that are needed`);
  const blocks = allow!.flatMap(({ target }) => (target.kind === 'block' ? [target.block] : []));
  if (blocks.length > 0 && proxied)
    throw notSupported(
      `${field}.allow`,
      'this server reaches the network by a proxy, which takes names and no addresses',
    );
  if (blocks.some(({ bytes }) => bytes.length !== 4))
    throw notSupported(`${field}.allow`, 'addresses of IPv6 are reached by name');
  return { rules, egress: { blocks: blocks.map(formatBlock) } };
}

function parsed(text: string, field: string): Rule {
  try {
    return parseRule(text);
  } catch (error) {
    throw error instanceof BadRule ? invalid(field, `${JSON.stringify(text)} ${error.message}`) : error;
  }
}
