import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { isIP } from 'node:net';
import type { Config } from '../config.ts';
import { type Finding, ok, warning, wrong } from '../finding.ts';
import { createAgent, fetchOn } from '../proxy.ts';
import { createWhoAmI, recognise, WHOAMI_PATH, type WhoAmI } from '../server/whoami.ts';

type Settings = Pick<Config, 'secrets' | 'publicUrl' | 'port' | 'host' | 'edgegap'>;

const ANSWER_MS = 10_000;
/** Maximum number of characters that are read from the response of an unknown server. A bot's response is shorter. */
const LONGEST_ANSWER = 1_000;
/** The status codes that a proxy returns if no server listens behind the proxy. */
const NOBODY: readonly number[] = [502, 503, 504];
const PRIVATE =
  /^(?:localhost|127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|\[::1\]|\[f[cd])|\.(?:local|internal)$/i;

export interface AddressReport {
  readonly findings: readonly Finding[];
  /** Whether a bot with these settings is already running and listens on the port. */
  readonly botRuns: boolean;
}

/**
 * Checks the port, and calls the bot through PUBLIC_URL. If no bot listens on the port, this function listens on the
 * port itself during the check. `isRunning` says that this process is the running bot.
 */
export async function examineAddress(config: Settings, isRunning: boolean): Promise<AddressReport> {
  const whoAmI = createWhoAmI(config.secrets);
  const port = isRunning ? { botRuns: true } : await tryPort(config, whoAmI);
  try {
    const ofPort = port.finding ? [port.finding] : [];
    return { findings: [...ofPort, await examinePublicUrl(config, whoAmI)], botRuns: port.botRuns };
  } finally {
    if (port.listener) await close(port.listener);
  }
}

/** Calls the bot through PUBLIC_URL, and checks whether this bot answers. */
async function examinePublicUrl({ publicUrl, edgegap }: Settings, whoAmI: WhoAmI): Promise<Finding> {
  const check = 'address.public';
  if (publicUrl === undefined)
    return ok(
      check,
      'PUBLIC_URL is not set, so the bot asks Edgegap for news every few seconds. That works, and uses more of Edgegap’s limits.',
    );
  const { hostname } = new URL(publicUrl);
  const answer = await ask(publicUrl, whoAmI, edgegap.proxy);
  switch (answer.who) {
    case 'this':
      return PRIVATE.test(hostname)
        ? warning(
            check,
            `PUBLIC_URL leads to this bot, but ${hostname} is an address that Edgegap cannot reach from the internet.`,
            'Set PUBLIC_URL to an address that the internet can reach, or leave PUBLIC_URL out.',
          )
        : ok(check, 'PUBLIC_URL leads to this bot, as seen from this machine.');
    case 'another':
      return wrong(
        check,
        'PUBLIC_URL leads to a bot with other settings.',
        'Let PUBLIC_URL lead to this bot, or use the same settings for both processes.',
      );
    case 'stranger':
      return wrong(
        check,
        `PUBLIC_URL leads to another service, which answers ${answer.detail}.`,
        'Let the reverse proxy pass every path of PUBLIC_URL on to the bot’s port: see docs/hosting.md.',
      );
    case 'redirect':
      return wrong(
        check,
        `PUBLIC_URL is redirected to ${answer.detail}, and Edgegap’s callbacks may get lost on the way.`,
        'Set PUBLIC_URL to the address at the end of the redirect.',
      );
    case 'nobody':
      return wrong(
        check,
        `PUBLIC_URL cannot be reached (${answer.detail}), so Edgegap’s callbacks do not arrive.`,
        'Check the name, the certificate, the firewall and the reverse proxy: see docs/hosting.md.',
      );
  }
}

interface Asked {
  readonly who: 'this' | 'another' | 'stranger' | 'redirect' | 'nobody';
  readonly detail: string;
}

async function ask(base: string, whoAmI: WhoAmI, proxy: Config['edgegap']['proxy']): Promise<Asked> {
  const nonce = randomBytes(16).toString('hex');
  const fetch = fetchOn(proxy && createAgent(proxy));
  try {
    const response = await fetch(`${base}${WHOAMI_PATH}?nonce=${nonce}`, {
      redirect: 'manual',
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const { status, headers } = response;
    const text = (await response.text()).slice(0, LONGEST_ANSWER);
    if (status >= 300 && status < 400)
      return {
        who: 'redirect',
        detail: URL.parse(headers.get('location') ?? '', base)?.origin ?? 'another address',
      };
    const who = recognise(whoAmI, nonce, parsed(text));
    if (who === 'stranger' && NOBODY.includes(status))
      return { who: 'nobody', detail: `the reverse proxy answers HTTP ${status}` };
    return { who, detail: `HTTP ${status}` };
  } catch (error) {
    return { who: 'nobody', detail: reasonOf(error) };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  const { name, code, cause } = error as { name?: string; code?: unknown; cause?: unknown };
  if (typeof code === 'string') return code;
  if (name === 'TimeoutError') return 'no answer within ten seconds';
  return cause === undefined ? String((error as Error).message) : reasonOf(cause);
}

async function tryPort(
  { port, host, edgegap }: Settings,
  whoAmI: WhoAmI,
): Promise<{ finding?: Finding; listener?: Server; botRuns: boolean }> {
  const check = 'address.port';
  if (port === 0) return { finding: ok(check, 'PORT=0 takes any free port.'), botRuns: false };
  try {
    const listener = await listen(port, host, whoAmI);
    return { finding: ok(check, `The port ${port} is free for the bot.`), listener, botRuns: false };
  } catch (error) {
    const { code = '' } = error as { code?: string };
    if (code === 'EADDRINUSE') {
      const local = !host || host === '::' || host === '0.0.0.0' ? '127.0.0.1' : host;
      const { who } = await ask(
        `http://${isIP(local) === 6 ? `[${local}]` : local}:${port}`,
        whoAmI,
        edgegap.proxy,
      );
      if (who === 'this')
        return { finding: ok(check, `The bot runs and listens on port ${port}.`), botRuns: true };
      const other = { another: 'A bot with other settings', nobody: 'A program that gives no answer' };
      return {
        finding: wrong(
          check,
          `${who === 'another' || who === 'nobody' ? other[who] : 'Another program'} listens on port ${port}, so the bot cannot start.`,
          'Stop that program, or set PORT to another number.',
        ),
        botRuns: false,
      };
    }
    const isHost = ['EADDRNOTAVAIL', 'ENOTFOUND', 'EAFNOSUPPORT'].includes(code);
    return {
      finding: isHost
        ? wrong(
            check,
            `HOST is ${host}, which is no address of this machine.`,
            'Correct HOST, or leave HOST out.',
          )
        : wrong(
            check,
            `The port ${port} cannot be used (${code}).`,
            'Set PORT to another number, above 1023.',
          ),
      botRuns: false,
    };
  }
}

/**
 * Listens on the port for the doctor's own request through PUBLIC_URL. The listener answers only on the path of this
 * request.
 */
async function listen(port: number, host: string | undefined, whoAmI: WhoAmI): Promise<Server> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://doctor');
    const said = pathname === WHOAMI_PATH ? whoAmI(searchParams.get('nonce') ?? '') : undefined;
    response.writeHead(said ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(said ?? { error: 'not found' }));
  });
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

async function close(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  if (server.listening) await once(server, 'close');
}
