import { z } from 'zod';
import { tagBody } from '../bodies.ts';
import type { SimulatedDeployment, SimulatedTag } from '../deployment.ts';
import type { Route, RouteRequest, RouteResponse } from '../exchange.ts';
import { checkTags } from '../order.ts';
import { paginate } from '../paging.ts';
import { RouteRefusal } from '../refusal.ts';

const ALL = '/v1/deployments/{id}/tags';
const ONE = '/v1/deployments/{id}/tags/{tag}';

export const tagRoutes: readonly Route[] = [
  { endpoint: 'tags', method: 'GET', path: ALL, handle: list },
  { endpoint: 'addTag', method: 'POST', path: ALL, handle: add },
  { endpoint: 'tag', method: 'GET', path: ONE, handle: one },
  { endpoint: 'renameTag', method: 'PATCH', path: ONE, handle: rename },
  { endpoint: 'removeTag', method: 'DELETE', path: ONE, handle: remove },
];

function list({ world, params, query }: RouteRequest): RouteResponse {
  const { items, total_count, pagination } = paginate(world.find(params.id).tags, query);
  const count = world.settings.dialect === 'openapi' ? { total_count } : { count: total_count };
  return { status: 200, body: { tags: items.map(tagBody), ...count, pagination } };
}

function add(call: RouteRequest): RouteResponse {
  const deployment = call.world.find(call.params.id);
  const tag = { name: newName(call, deployment), createdAt: call.now, updatedAt: call.now };
  deployment.tags.push(tag);
  return { status: 200, body: tagBody(tag) };
}

function one({ world, params }: RouteRequest): RouteResponse {
  return { status: 200, body: tagBody(findTag(world.find(params.id), params.tag)) };
}

function rename(call: RouteRequest): RouteResponse {
  const deployment = call.world.find(call.params.id);
  const tag = findTag(deployment, call.params.tag);
  tag.name = newName(call, deployment, tag);
  tag.updatedAt = call.now;
  return { status: 200, body: tagBody(tag) };
}

function remove({ world, params }: RouteRequest): RouteResponse {
  const deployment = world.find(params.id);
  const tag = findTag(deployment, params.tag);
  deployment.tags = deployment.tags.filter((other) => other !== tag);
  return { status: 204 };
}

function findTag(deployment: SimulatedDeployment, name: string | undefined): SimulatedTag {
  const tag = deployment.tags.find((candidate) => candidate.name === name);
  if (!tag) throw new RouteRefusal(404, `${deployment.request_id} has no tag ${name}`);
  return tag;
}

const TagBody = z.object({ name: z.string().min(1) });

/** Returns the name in the body. Throws a refusal if the name is invalid or already in use. */
function newName(
  { world, body }: RouteRequest,
  deployment: SimulatedDeployment,
  renamed?: SimulatedTag,
): string {
  const parsed = TagBody.safeParse(body);
  if (!parsed.success) throw new RouteRefusal(400, 'A tag needs a name');
  const { name } = parsed.data;
  checkTags([name], world.settings);
  if (deployment.tags.some((tag) => tag !== renamed && tag.name === name)) {
    throw new RouteRefusal(409, `${deployment.request_id} has the tag ${name} already`);
  }
  return name;
}
