import { isIP } from 'node:net';
import type { DeploymentPort } from '../../edgegap/schema.ts';
import { InputError } from '../../errors.ts';
import { quoted } from '../argv.ts';
import { wordIn } from './checked-text.ts';
import type { Lookup } from './kind.ts';

/**
 * The parsed address of a server, without protocol and path. The host is in lower case, and an IPv6 address has no
 * brackets.
 */
interface ServerAddress {
  readonly host: string;
  readonly port: number | undefined;
}

/** The fields that a deployment and a row of Edgegap's list have in common. */
interface Reachable {
  readonly request_id: string;
  readonly fqdn?: string | undefined;
  readonly public_ip?: string | undefined;
  readonly ports: Readonly<Record<string, DeploymentPort>>;
}

const SHAPE =
  /^(?:[a-z][a-z\d+.-]{0,20}:\/\/)?(?:\[([\da-f:.]+)\]|([a-z\d.-]{1,253}))(?::(\d{1,5}))?(?:[/?#].*)?$/i;
/** The last part of a host name must consist of letters. Without this rule, `v1.2` would match as a host name. */
const HOST_NAME = /^(?:[a-z\d](?:[a-z\d-]*[a-z\d])?\.)+[a-z]{2,}$/;
/** The maximum number of deployments that an error message names. */
const NAMED = 5;

/**
 * Reads an address such as `198.51.100.1:31504`, `[2001:db8::1]:31504` or `wss://abc.pr.edgegap.net:31504/play`.
 * Undefined for any other text.
 */
export function readAddress(value: string): ServerAddress | undefined {
  const text = wordIn(value, ' *~()<>{}.,;!?').toLowerCase();
  if (isIP(text) === 6) return { host: text, port: undefined };
  const [, v6, name = '', digits] = SHAPE.exec(text) ?? [];
  const host = v6 ?? name;
  if (isIP(host) !== (v6 === undefined ? 4 : 6) && !HOST_NAME.test(host)) return undefined;
  return { host, port: digits === undefined ? undefined : Number(digits) };
}

/**
 * Finds the request_id of the deployment with this address. Searches the running deployments in the store, then
 * Edgegap's list, and then the stored deployments that ended within a day. Ignores applications that are not on the
 * allowlist. Throws InputError.
 */
export async function findAddressed(lookup: Lookup, address: ServerAddress): Promise<string> {
  const near = new Map<string, Reachable>();
  const { host, port } = address;
  const whole = port !== undefined || isIP(host) === 0;
  const known = await recorded(lookup, host, 'live');
  const [own] = known.filter((one) => isAt(one, address));
  // A host name, or an address with a port, belongs to a single server. Without a port, several servers may share an IP
  // address.
  if (own && whole) return own.request_id;
  for (const one of known) near.set(one.request_id, one);
  for await (const row of listed(lookup, host)) {
    if (whole && isAt(row, address)) return row.request_id;
    if (isAt(row, { host, port: undefined })) near.set(row.request_id, row);
  }
  if (near.size === 0) {
    const [ended] = (await recorded(lookup, host, 'ended')).filter((one) => isAt(one, address));
    if (ended) return ended.request_id;
  }
  const candidates = [...near.values()];
  const [only] = candidates;
  if (only && candidates.length === 1 && port === undefined) return only.request_id;
  throw candidates.length > 0 ? whichOf(candidates, address) : unknown(lookup, address);
}

/** The deployments in the store that have this host. */
async function recorded(
  { deployments, settings }: Lookup,
  host: string,
  phase: 'live' | 'ended',
): Promise<Reachable[]> {
  const found = await deployments.byHost(host, phase, settings.applicationAllowlist);
  const all = found.flatMap(({ snapshot }) => (snapshot ? [snapshot] : []));
  return all.filter((one) => isAt(one, { host, port: undefined }));
}

/**
 * The active deployments from Edgegap, which may have this host. Edgegap's host names begin with the request_id, so the
 * deployment whose request_id is the first part of `host` comes first.
 */
async function* listed({ edgegap }: Lookup, host: string): AsyncGenerator<Reachable> {
  const [label = ''] = host.split('.');
  if (isIP(host) === 0) {
    const filters = [{ field: 'request_id', operator: 'eq', value: label } as const];
    yield* (await edgegap.deployments({ filters, limit: 1 })).rows;
  }
  yield* edgegap.allDeployments();
}

function isAt({ fqdn, public_ip, ports }: Reachable, { host, port }: ServerAddress): boolean {
  const links = Object.values(ports).map((one) => ({
    external: one.external,
    at: readAddress(one.link ?? ''),
  }));
  const hosts = [fqdn?.toLowerCase(), public_ip?.toLowerCase(), ...links.map(({ at }) => at?.host)];
  if (!hosts.includes(host)) return false;
  return port === undefined || links.some(({ external, at }) => external === port || at?.port === port);
}

function whichOf(candidates: readonly Reachable[], { host, port }: ServerAddress): InputError {
  const named = candidates.slice(0, NAMED).map(({ request_id, ports }) => {
    const open = Object.values(ports).flatMap(({ external }) => external ?? []);
    return open.length > 0 ? `${request_id} (${open.join(', ')})` : request_id;
  });
  const left = candidates.length - named.length;
  const hint = `The servers there, with their ports: ${named.join('; ')}${left > 0 ? `; and ${left} more` : ''}.`;
  return port === undefined
    ? new InputError('address-ambiguous', `Several servers have the address ${quoted(host)}.`, {
        hint: `Add the port, or give a request_id. ${hint}`,
      })
    : new InputError('address-port', `No server at ${quoted(host)} has the port ${port}.`, { hint });
}

function unknown({ settings }: Lookup, { host, port }: ServerAddress): InputError {
  const which = settings.applicationAllowlist ? 'server that I may work with' : 'server';
  const shown = port === undefined ? host : `${host}:${port}`;
  return new InputError('address-unknown', `No active ${which} has the address ${quoted(shown)}.`, {
    hint: 'The server may have ended, or the address has a slip. `list` shows all running servers.',
  });
}
