import type { Message } from '../../src/chat/card.ts';
import type { MessageRef } from '../../src/chat/port.ts';
import { answerCard } from '../../src/deployments/answer-card.ts';
import { deploymentCard } from '../../src/deployments/card.ts';
import type { Deployment } from '../../src/deployments/deployment.ts';
import { questionCard } from '../../src/deployments/lifetime-cards.ts';
import { endedCard, failedLine, type PlannedStop, plannedCard } from '../../src/deployments/planned-stop.ts';
import { viewOf } from '../../src/deployments/view.ts';
import { DeploymentStatus } from '../../src/edgegap/schema.ts';
import { crashCard } from '../../src/recorder/crash-card.ts';
import { followCard, followedCard } from '../../src/tail/cards.ts';
import { beginFollow, type Follow } from '../../src/tail/follow.ts';
import { NOW, type Sample } from './sample.ts';

const MINUTE_MS = 60_000;
const ID = '6f0f5c2a41d7';
const AT = { platform: 'memory', workspace: 'studio', channel: 'game-servers' };
const CARD: MessageRef = { ...AT, message: 'card' };
const DASHBOARD = 'https://app.edgegap.com/deployment-management/deployments/list';
const PLACE = 'Montreal, Canada';

/** Edgegap's answer about the deployment in the samples. */
function told(current_status: string, changes: Readonly<Record<string, unknown>> = {}): DeploymentStatus {
  const ready = current_status === 'READY';
  return DeploymentStatus.parse({
    request_id: ID,
    current_status,
    app_name: 'kart-racing',
    app_version: 'v1.3',
    ...(ready ? { fqdn: `${ID}.pr.edgegap.net`, public_ip: '203.0.113.57' } : {}),
    running: ready,
    max_duration: 60,
    ports: ready
      ? {
          gameport: { name: 'gameport', internal: 7777, external: 31504, protocol: 'UDP' },
          http: { name: 'http', internal: 8080, external: 30112, protocol: 'TCP' },
        }
      : {},
    location: {
      city: 'Montreal',
      country: 'Canada',
      continent: 'North America',
      administrative_division: 'Quebec',
      timezone: 'America/Toronto',
      latitude: 45.5,
      longitude: -73.6,
    },
    tags: ['qa', 'playtest'],
    ...changes,
  });
}

function deployment(personId: string, changes: Partial<Deployment>): Deployment {
  return {
    id: 'deployment',
    account: 'default',
    secret: 'secret',
    invocationId: 'invocation',
    application: 'kart-racing',
    version: 'v1.3',
    plan: { users: [], place: PLACE, tags: ['qa', 'playtest'], env: [{ key: 'MODE' }], usualMs: 14_000 },
    asker: { id: personId, name: 'Ann' },
    at: AT,
    card: CARD,
    phase: 'live',
    requestId: ID,
    status: undefined,
    snapshot: undefined,
    tags: ['qa', 'playtest'],
    errorDetail: undefined,
    replacedBy: undefined,
    createdAt: NOW - 20_000,
    heardAt: NOW,
    acceptedAt: NOW - 19_000,
    readyAt: undefined,
    errorAt: undefined,
    endedAt: undefined,
    checkAt: undefined,
    checks: 0,
    stopAskedBy: undefined,
    stopAskedAt: undefined,
    stopPlan: undefined,
    missingAt: undefined,
    doubted: undefined,
    ...changes,
  };
}

const READY: Partial<Deployment> = {
  status: 'READY',
  snapshot: told('READY', { sockets: 16, sockets_usage: 7 }),
  createdAt: NOW - 12 * MINUTE_MS,
  readyAt: NOW - 12 * MINUTE_MS + 14_000,
};

const PULL_ERROR =
  'The container image registry.example.com/studio/kart-racing:v1.3 could not be pulled. Check that the image exists and that the credentials of the registry are valid.';

const NO_ROOM = 'No location near Montreal has enough room for this version.';

const STATES: Readonly<Record<string, Partial<Deployment>>> = {
  requesting: { phase: 'requesting', requestId: undefined },
  accepted: {},
  'looking for a location': { status: 'SEEKING', snapshot: told('SEEKING', { location: undefined }) },
  deploying: { status: 'DEPLOYING', snapshot: told('DEPLOYING') },
  ready: READY,
  'ready, and a stop was asked for': { ...READY, stopAskedBy: 'Ben', stopAskedAt: NOW },
  failed: {
    status: 'ERROR',
    snapshot: told('ERROR', { last_status: 'DEPLOYING', error: true, error_detail: PULL_ERROR }),
    errorDetail: PULL_ERROR,
    errorAt: NOW - 5_000,
  },
  'failed, because no place has room': {
    status: 'ERROR',
    snapshot: told('ERROR', {
      last_status: 'SEEKING',
      location: undefined,
      error: true,
      error_detail: NO_ROOM,
    }),
    errorDetail: NO_ROOM,
    errorAt: NOW - 5_000,
  },
  ended: {
    ...READY,
    phase: 'ended',
    status: 'TERMINATED',
    snapshot: told('TERMINATED'),
    readyAt: NOW - 11 * MINUTE_MS,
    endedAt: NOW - 40_000,
  },
  'outcome unknown': { phase: 'unknown', requestId: undefined },
  lost: { phase: 'lost', requestId: undefined, createdAt: NOW - 25 * MINUTE_MS },
  refused: {
    phase: 'refused',
    requestId: undefined,
    errorDetail: 'The version v1.3 of kart-racing is not active.',
  },
  'missing at Edgegap': { ...READY, missingAt: NOW - 30_000 },
};

/** The live card of a deployment in every state, and the answers that concern a deployment. */
export function deploymentSamples(personId: string): Sample[] {
  const view = viewOf(deployment(personId, READY));
  const samples: [string, Message][] = [
    ...Object.entries(STATES).map(([name, changes]): [string, Message] => [
      name,
      deploymentCard(viewOf(deployment(personId, changes))),
    ]),
    ['status of a ready deployment', answerCard(view, { now: NOW, dashboard: DASHBOARD })],
    ['status with details', answerCard(view, { now: NOW, dashboard: DASHBOARD, details: true })],
  ];
  return samples.map(([name, shown]) => ({ group: 'deployment', name, shown }));
}

/** The card of a planned stop in every state, from the plan to each outcome. */
export function plannedStopSamples(personId: string): Sample[] {
  const stop: PlannedStop = {
    id: 'stop',
    request_id: ID,
    name: 'kart-racing v1.3',
    at: NOW + 10 * MINUTE_MS,
    asker: { id: personId, name: 'Ann' },
    place: AT,
    card: CARD,
  };
  const later = { ...stop, at: NOW + 30 * MINUTE_MS, asker: { id: personId, name: 'Ben' } };
  const why = 'Edgegap did not answer.';
  const samples: [string, Message][] = [
    ['planned', plannedCard(stop)],
    ['planned, in place of an earlier plan', plannedCard(later, stop)],
    ['carried out', endedCard(stop, { kind: 'stopped', once: false })],
    ['cancelled', endedCard(stop, { kind: 'cancelled', by: 'Ben' })],
    ['replaced', endedCard(stop, { kind: 'replaced', by: later })],
    ['failed', endedCard(stop, { kind: 'failed', why })],
    ['the line about the failure', failedLine(stop, why)],
  ];
  return samples.map(([name, shown]) => ({ group: 'planned stop', name, shown }));
}

const LOG = [
  '[16:29:58] match 4412 started on Snowfield with 12 karts',
  '[16:30:04] lap 1/3: kart 07 leads, 31.402 s',
  '[16:30:11] warning: tick took 48 ms',
  '[16:30:19] lap 2/3: kart 11 leads, 30.977 s',
].join('\n');

/** Followed logs, the report of a crash, and the questions before a server ends. */
export function liveSamples(personId: string): Sample[] {
  const asker = { id: personId, name: 'Ann' };
  const order = { request_id: ID, asker, lines: 10, until: NOW + 10 * MINUTE_MS };
  const begun: Follow = { ...beginFollow(order, CARD), seen: LOG, count: 4 };
  const stream = { message: CARD, waiting: [], isSending: false };
  const crashed = deployment(personId, {
    ...READY,
    status: 'ERROR',
    snapshot: told('ERROR', { last_status: 'READY', error: true }),
    errorDetail: 'Container exited with code 137',
    errorAt: NOW - MINUTE_MS,
  });
  const crash_data = { exit_code: 137, restart_count: 2, message: 'OOMKilled' };
  const lifetime = { ms: 120 * MINUTE_MS, endsAt: NOW + 10 * MINUTE_MS };
  const ending = deployment(personId, { ...READY, plan: { users: [], place: PLACE, tags: [], lifetime } });
  const end = { at: lifetime.endsAt, by: 'lifetime' } as const;
  const samples: [string, Message][] = [
    ['following a log', followCard(begun)],
    ['following a log in the thread', followCard({ ...begun, stream })],
    ['following ended', followedCard(begun, 'The time is over.')],
    [
      'crash report',
      crashCard({
        deployment: crashed,
        log: { logs: LOG, crash_logs: '', crash_data } as never,
        use: { cpu: 900, memory: 508, cpuLimit: 1_024, memoryLimit: 512 },
        same: { count: 4, of: 30 },
        isRecorded: true,
      }),
    ],
    [
      'the question before the end',
      questionCard(ending, end, { extended: lifetime.endsAt + lifetime.ms, kept: 'never' }),
    ],
  ];
  return samples.map(([name, shown]) => ({ group: 'live', name, shown }));
}
