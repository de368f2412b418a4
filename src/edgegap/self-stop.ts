import { AppError } from '../errors.ts';
import { createMask } from '../log/mask.ts';
import { type StopOptions, type StopResult, stop } from './stop.ts';
import { Transport, type TransportOptions } from './transport.ts';

export interface SelfStopOptions
  extends StopOptions,
    Pick<TransportOptions, 'clock' | 'log' | 'proxy' | 'random'>,
    Partial<Pick<TransportOptions, 'timeoutMs'>> {
  /** The value of ARBITRIUM_DELETE_URL, a variable that Edgegap sets inside the container. */
  url: string;
  /**
   * The value of ARBITRIUM_DELETE_TOKEN. This token can stop only this deployment, and is not a token of the account.
   */
  token: string;
}

/** `DELETE /v1/self/stop/{id}/{access point}`. With this call, a deployment stops itself from its own container. */
export async function selfStop({
  url,
  token,
  timeoutMs = 30_000,
  ...options
}: SelfStopOptions): Promise<StopResult> {
  const { origin, pathname: path, searchParams } = addressOf(url);
  if (!/^[\x21-\x7e]+$/.test(token)) throw unusable('ARBITRIUM_DELETE_TOKEN is no token.');
  const mask = createMask([token]);
  const transport = new Transport({ ...options, baseUrl: origin, authorization: token, timeoutMs, mask });
  try {
    const query = Object.fromEntries(searchParams);
    return await stop(transport, { path, query, subject: 'self-stop' }, options);
  } finally {
    await transport.close();
  }
}

function addressOf(url: string): URL {
  const address = URL.parse(url);
  if (address && /^https?:$/.test(address.protocol)) return address;
  throw unusable('ARBITRIUM_DELETE_URL is no http or https address.');
}

function unusable(reason: string): AppError {
  return new AppError('edgegap-self-stop', `The server cannot stop itself: ${reason}`, {
    hint: 'The server goes on running. Edgegap sets both variables inside the container: pass them on unchanged.',
  });
}
