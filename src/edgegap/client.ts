import type { z } from 'zod';
import { createMask, type Mask } from '../log/mask.ts';
import {
  type Application,
  ApplicationList,
  type AppVersion,
  type FleetHost,
  HostList,
  type LocationFilter,
  LocationList,
  type LocationListing,
  VersionList,
} from './catalogue.ts';
import { EdgegapError } from './errors.ts';
import { decodeLogs, type Logs } from './logs.ts';
import { type Metrics, MetricsAnswer, type MetricsRequest, metricsQuery } from './metrics.ts';
import { masked, maskTag } from './outside.ts';
import { eachPage, nextPage, type Page } from './paging.ts';
import { path } from './path.ts';
import {
  type DeployBody,
  type DeployRequest,
  deployBody,
  type FleetDeployRequest,
  type LegacyDeployRequest,
  type ListRequest,
  legacyDeployBody,
  listQuery,
  valuesIn,
} from './requests.ts';
import {
  DeployAnswer,
  DeploymentList,
  type DeploymentPage,
  type DeploymentRow,
  DeploymentStatus,
  LegacyDeployAnswer,
  LogsAnswer,
  TagList,
  TagTimes,
} from './schema.ts';
import { type StopOptions, type StopResult, type StopsResult, stop, stopMany } from './stop.ts';
import { bareToken } from './token.ts';
import {
  type ApiRequest,
  type ApiResponse,
  type CallOptions,
  Transport,
  type TransportOptions,
  unreadable,
} from './transport.ts';

type GetRequest = Omit<ApiRequest, 'method'>;

/** The API calls for an Edgegap account. */
export type EdgegapApi = Omit<EdgegapClient, 'close' | 'abandon'>;

export type EdgegapClientOptions = Omit<TransportOptions, Optional | 'authorization'> &
  Partial<Pick<TransportOptions, Optional>> & {
    /** The account's token, with or without the prefix `token`. */
    token: string;
  };
type Optional = 'baseUrl' | 'timeoutMs' | 'mask';

/** The number of rows per page when the whole list is read. Edgegap's default pages are shorter. */
const LIST_PAGE = 50;

/**
 * An Edgegap account over HTTP, with its own connections and rate limits. Close the client when it is no longer needed.
 * Each call accepts a signal and a lane. Calls in the lane `people` (the default) have priority over calls in the lane
 * `background`. A failed call rejects with an `EdgegapError`, and an aborted call rejects with the signal's reason.
 */
export class EdgegapClient {
  readonly #transport: Transport;
  readonly #mask: Mask;

  constructor({
    baseUrl = 'https://api.edgegap.com',
    token,
    timeoutMs = 30_000,
    mask = createMask([bareToken(token)]),
    ...rest
  }: EdgegapClientOptions) {
    this.#mask = mask;
    const authorization = `token ${bareToken(token)}`;
    this.#transport = new Transport({ ...rest, mask, baseUrl, timeoutMs, authorization });
  }

  /** Finishes the requests in progress. Calls that still wait, and all later calls, are refused. */
  close(): Promise<void> {
    return this.#transport.close();
  }

  /** Closes the client and aborts the requests in progress. The outcome of these requests is then unknown. */
  abandon(): Promise<void> {
    return this.#transport.abandon();
  }

  /**
   * `POST /v2/deployments`. A deployment costs money, so the request is sent again only if the earlier attempt
   * certainly had no effect. See `EdgegapError.outcome`.
   */
  async deploy(request: DeployRequest, call?: CallOptions): Promise<{ request_id: string }> {
    return this.#deploy(path`/v2/deployments`, deployBody(request), DeployAnswer, call);
  }

  /**
   * `POST /v2/private-fleets/deployments`. Like `deploy`, but prefers the hosts of a private fleet that have capacity.
   */
  async deployToFleet(request: FleetDeployRequest, call?: CallOptions): Promise<{ request_id: string }> {
    return this.#deploy(path`/v2/private-fleets/deployments`, deployBody(request), DeployAnswer, call);
  }

  /** `POST /v1/deploy`, which Edgegap has deprecated. The result contains the deployed `version`. */
  async deployLegacy(
    request: LegacyDeployRequest,
    call?: CallOptions,
  ): Promise<{ request_id: string; version: string | undefined }> {
    const answer = await this.#deploy(path`/v1/deploy`, legacyDeployBody(request), LegacyDeployAnswer, call);
    return { request_id: answer.request_id, version: answer.request_version };
  }

  async status(request_id: string, call?: CallOptions): Promise<DeploymentStatus> {
    const at = path`/v1/status/${request_id}`;
    const request = { path: at, subject: 'deployment', bucket: 'status' } as const;
    return masked(await this.#get(request, DeploymentStatus, call), this.#mask);
  }

  /** `DELETE /v1/stop/{id}`. */
  async stop(request_id: string, call?: StopOptions): Promise<StopResult> {
    const summary = (status: DeploymentStatus) => call?.summary?.(masked(status, this.#mask));
    const at = { path: path`/v1/stop/${request_id}`, subject: 'deployment' } as const;
    return stop(this.#transport, at, { ...call, summary });
  }

  /** Calls `POST /v1/deployments/bulk-stop` for these deployments only. */
  stopMany(request_ids: readonly string[], call?: CallOptions): Promise<StopsResult> {
    return stopMany(this.#transport, request_ids, call);
  }

  /** `GET /v1/deployments`, a single page. The list has only active deployments and may be slightly outdated. */
  async deployments(request: ListRequest = {}, call?: CallOptions): Promise<DeploymentPage> {
    const page = request.page ?? 1;
    const answer = await this.#list(request, call);
    const total_count = answer.total ?? answer.rows.length;
    // This call does not read the earlier pages. If Edgegap does not report the number of the next page, the code
    // assumes that all pages have the same length.
    const has_next = nextPage(page, answer, answer.rows.length * page) !== undefined;
    return { rows: answer.rows, total_count, has_next, page, messages: answer.messages ?? [] };
  }

  /**
   * Returns all rows of all pages. If a row moves to a later page during the reading, the row is returned only once.
   */
  async *allDeployments(
    request: Omit<ListRequest, 'page'> = {},
    call?: CallOptions,
  ): AsyncGenerator<DeploymentRow, void> {
    const seen = new Set<string>();
    for await (const rows of eachPage((page) => this.#list({ limit: LIST_PAGE, ...request, page }, call))) {
      for (const row of rows) {
        if (seen.has(row.request_id)) continue;
        seen.add(row.request_id);
        yield row;
      }
    }
  }

  /** `GET /v1/deployment/{id}/container-logs`. Always returns the whole log, decoded from base64. */
  async logs(request_id: string, call?: CallOptions): Promise<Logs> {
    const logs = decodeLogs(await this.#get(logRequest(request_id), LogsAnswer, call));
    const { crash_data } = logs;
    // The whole log may be too long to mask here. The caller masks only the last lines that it uses.
    if (crash_data?.message === undefined) return logs;
    return { ...logs, crash_data: { ...crash_data, message: this.#mask(crash_data.message) } };
  }

  /**
   * Requests the same log as `logs`, but returns the bytes of the answer. The caller passes the bytes to `readLogs`. A
   * large answer takes long to read, so the caller can read the answer in a separate thread.
   */
  async logBytes(request_id: string, call?: CallOptions): Promise<ArrayBuffer> {
    const request = { method: 'GET', ...logRequest(request_id), raw: true } as const;
    return (await this.#transport.send(request, call)).bytes;
  }

  /** `GET /v1/metrics/deployment/{id}`. */
  metrics(request_id: string, request: MetricsRequest = {}, call?: CallOptions): Promise<Metrics> {
    const question = {
      path: path`/v1/metrics/deployment/${request_id}`,
      query: metricsQuery(request),
      subject: 'metrics',
      bucket: 'metrics',
    } as const;
    return this.#get(question, MetricsAnswer, call);
  }

  /** `GET /v2/private-fleets/{fleet}/hosts`, the rows of all pages. */
  async hosts(fleet: string, call?: CallOptions): Promise<FleetHost[]> {
    const at = path`/v2/private-fleets/${fleet}/hosts`;
    return (await this.#all({ path: at, subject: 'fleet', bucket: 'hosts' }, HostList, call)).rows;
  }

  /** Returns the names of all tags of the deployment. */
  async tags(request_id: string, call?: CallOptions): Promise<string[]> {
    const at = path`/v1/deployments/${request_id}/tags`;
    const { rows } = await this.#all({ path: at, subject: 'deployment', bucket: 'tags' }, TagList, call);
    return rows.map((tag) => maskTag(tag, this.#mask));
  }

  /** Returns when the tag was added and when it was last changed. */
  tag(request_id: string, name: string, call?: CallOptions): Promise<TagTimes> {
    const at = path`/v1/deployments/${request_id}/tags/${name}`;
    return this.#get({ path: at, subject: 'tag', bucket: 'tags' }, TagTimes, call);
  }

  async addTag(request_id: string, tag: string, call?: CallOptions): Promise<void> {
    const at = path`/v1/deployments/${request_id}/tags`;
    await this.#change('POST', at, { name: tag }, call);
  }

  async renameTag(request_id: string, from: string, to: string, call?: CallOptions): Promise<void> {
    await this.#change('PATCH', path`/v1/deployments/${request_id}/tags/${from}`, { name: to }, call);
  }

  async removeTag(request_id: string, tag: string, call?: CallOptions): Promise<void> {
    try {
      await this.#change('DELETE', path`/v1/deployments/${request_id}/tags/${tag}`, undefined, call);
    } catch (error) {
      // The outcome of an earlier attempt was unknown. The tag no longer exists, so the earlier attempt must have
      // removed the tag.
      if (error instanceof EdgegapError && error.status === 404 && error.outcome === 'unknown') return;
      throw error;
    }
  }

  /** `GET /v1/apps`, the rows of all pages. */
  async applications(call?: CallOptions): Promise<Application[]> {
    const question = { path: path`/v1/apps`, subject: 'account', bucket: 'catalogue' } as const;
    return (await this.#all(question, ApplicationList, call)).rows;
  }

  /** `GET /v1/app/{application}/versions`, the rows of all pages. */
  async versions(application: string, call?: CallOptions): Promise<AppVersion[]> {
    const at = path`/v1/app/${application}/versions`;
    const question = { path: at, subject: 'application', bucket: 'catalogue' } as const;
    return (await this.#all(question, VersionList, call)).rows;
  }

  /** `GET /v1/locations`, the rows of all pages. */
  async locations(filter: LocationFilter = {}, call?: CallOptions): Promise<LocationListing> {
    const { application, version, type, tags } = filter;
    const query = { app: application, version, type, tags: tags ? 'true' : undefined };
    const subject = application === undefined ? 'account' : 'application';
    const question = { path: path`/v1/locations`, query, subject, bucket: 'catalogue' } as const;
    const { rows, messages } = await this.#all(question, LocationList, call);
    return { locations: rows, messages };
  }

  async #list(request: ListRequest, call: CallOptions | undefined): Promise<Page<DeploymentRow>> {
    const query = { query: listQuery(request), page: request.page, limit: request.limit };
    const question = { path: path`/v1/deployments`, query, subject: 'account', bucket: 'list' } as const;
    const page = await this.#get(question, DeploymentList, call);
    const messages = page.messages?.map((note) => this.#mask(note));
    return { ...page, messages, rows: page.rows.map((row) => masked(row, this.#mask)) };
  }

  /**
   * Reads all rows of all pages. The first request contains no page number, because the API reference declares no such
   * parameter for the list of versions.
   */
  async #all<Row>(request: GetRequest, schema: z.ZodType<Page<Row>>, call: CallOptions | undefined) {
    const all: Row[] = [];
    const notes = new Set<string>();
    const read = async (page: number | undefined) => {
      const answer = await this.#get({ ...request, query: { ...request.query, page } }, schema, call);
      for (const note of answer.messages ?? []) notes.add(this.#mask(note));
      return answer;
    };
    for await (const rows of eachPage(read)) all.push(...rows);
    return { rows: all, messages: [...notes] };
  }

  /**
   * Edgegap documents a separate limit for each deploy endpoint. The endpoints may in fact share one limit, so the bot
   * counts all deploys in the same bucket.
   */
  #deploy<T>(at: string, body: DeployBody, schema: z.ZodType<T>, call: CallOptions | undefined): Promise<T> {
    const secrets = valuesIn(body);
    const request = { method: 'POST', path: at, body, secrets, subject: 'deploy', bucket: 'deploy' } as const;
    return this.#ask(request, schema, call);
  }

  #get<T>(request: GetRequest, schema: z.ZodType<T>, call: CallOptions | undefined): Promise<T> {
    return this.#ask({ method: 'GET', ...request }, schema, call);
  }

  /**
   * Adds, renames or removes a tag. The status of the answer says whether the change was made, so the body of the
   * answer is not read.
   */
  #change(
    method: 'POST' | 'PATCH' | 'DELETE',
    at: string,
    body: unknown,
    call: CallOptions | undefined,
  ): Promise<ApiResponse> {
    return this.#transport.send({ method, path: at, body, subject: 'tag', bucket: 'tags' }, call);
  }

  async #ask<T>(request: ApiRequest, schema: z.ZodType<T>, call: CallOptions | undefined): Promise<T> {
    const { status, json } = await this.#transport.send(request, call);
    const read = schema.safeParse(json);
    if (read.success) return read.data;
    const where = read.error.issues[0]?.path.join('.') || 'the whole answer';
    throw unreadable(request, status, where, read.error);
  }
}

function logRequest(request_id: string) {
  const at = path`/v1/deployment/${request_id}/container-logs`;
  return { path: at, subject: 'log', bucket: 'logs' } as const;
}
