import type { Proxies } from '../proxy.ts';
import { decoded } from './database.ts';

/**
 * Reads the proxy variables that curl and most other programs know. As in curl, a lower-case name takes precedence over
 * the same name in capitals. `secrets` are the passwords in the addresses.
 */
export function proxySettings(set: Readonly<Record<string, string>>) {
  const problems: string[] = [];
  const address = (name: string): string => {
    const from = set[name.toLowerCase()] === undefined ? name : name.toLowerCase();
    const value = set[from] ?? '';
    const whole = value === '' || value.includes('://') ? value : `http://${value}`;
    const { protocol = '', username = '', password = '' } = URL.parse(whole) ?? {};
    const isProxy = /^https?:$/.test(protocol);
    if (whole === '' || (isProxy && decoded(username + password) !== undefined)) return whole;
    problems.push(
      isProxy
        ? `${from} has a "%" that begins no character: a "%" itself, in a password say, is written %25`
        : `${from} must be the address of an HTTP proxy, such as http://proxy.example.com:3128`,
    );
    return '';
  };
  const http = address('HTTP_PROXY');
  const https = address('HTTPS_PROXY');
  const except = set.no_proxy ?? set.NO_PROXY ?? '';
  const passwords = [http, https].map((url) => URL.parse(url)?.password ?? '');
  const secrets = new Set(passwords.flatMap((password) => [password, decodeURIComponent(password)]));
  secrets.delete('');
  const proxy: Proxies | undefined = http || https ? { http, https, except } : undefined;
  return { proxy, secrets: [...secrets], problems };
}
