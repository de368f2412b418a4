import { join } from 'node:path';
import { createPlatforms } from './adapters/start.ts';
import { type AccountSettings, type OpenAccount, openAccount } from './app/account.ts';
import { createAlarm, type TokenRefused, type TokenSetting } from './app/alarm.ts';
import { openOwnDeployment } from './app/own-deployment.ts';
import { createReadiness } from './app/readiness.ts';
import { createRefresher } from './app/refresher.ts';
import { stopInOrder } from './app/stop.ts';
import { Plans, purgePlans } from './bulk/plans.ts';
import { carryingOut } from './bulk/work.ts';
import { createCharts } from './chart/charts.ts';
import type { Adapter, Address } from './chat/port.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Directory, Services } from './command/define.ts';
import { knownFleets } from './command/fleets.ts';
import { createInvocations } from './command/invocations.ts';
import { loadCommands } from './command/load.ts';
import type { Kinds } from './command/options.ts';
import { createPayloads, forgettingPayloads, purgePayloads } from './command/payloads.ts';
import { createPresets } from './command/presets.ts';
import { createRecovery } from './command/recovery.ts';
import { createPipeline } from './command/run.ts';
import { stopsLater } from './command/stop-later.ts';
import { storedInvocation } from './command/stored.ts';
import type { AccessRules, Config } from './config.ts';
import { type Account, Accounts } from './deployments/account.ts';
import { Callbacks } from './deployments/callbacks.ts';
import { endWarnings } from './deployments/end-warnings.ts';
import { DeploymentRepository } from './deployments/repository.ts';
import { waitOut } from './edgegap/permits.ts';
import { shareOfLimits } from './edgegap/scheduler.ts';
import { AppError, ConfigError } from './errors.ts';
import { createMask } from './log/mask.ts';
import { createLog, type Logger } from './log.ts';
import { purgeChannels, purgeOutbox } from './notify/report.ts';
import { createOutboxWorker } from './notify/worker.ts';
import { purgeRecordings } from './recorder/recordings.ts';
import { reports } from './recorder/reports.ts';
import { Leases } from './replicas/leases.ts';
import { Membership } from './replicas/membership.ts';
import { buildServer } from './server/server.ts';
import { createWhoAmI } from './server/whoami.ts';
import { returnFreeSpace } from './store/free-space.ts';
import { isShared, type Store } from './store/schema.ts';
import { dialectFor, lifelineOf, openStore } from './store/store.ts';
import { Followers } from './tail/followers.ts';
import { createReader } from './tail/reader.ts';
import { createLogSearches } from './tail/searches.ts';
import { followingLogs } from './tail/work.ts';
import { purging } from './work/purges.ts';
import { TaskWorker } from './work/worker.ts';

/** The id of the account that the settings describe. */
const DEFAULT_ACCOUNT = 'default';
/** The id that replaces an account's id in work that is done for all accounts together. */
const EVERY_ACCOUNT = 'all';

const FOUND = 'doctor: something is not as it should be; npm run doctor checks everything';

/** The doctor is loaded only when needed, because the bot works without the doctor. */
const doctor = () => import('./doctor/examine.ts');

const COMMANDS = join(import.meta.dirname, '..', 'commands');

export interface AppParts {
  readonly config: Config;
  readonly clock: Clock;
  /**
   * The machine's own clock, even if `clock` is a different clock. The machine's clock decides whether a process counts
   * as alive, and how much time is left for an answer to a platform.
   */
  readonly heartbeat?: Clock;
  readonly log: Logger;
  /** Creates the chat platforms. The platforms need the list of commands. */
  readonly adapters: (directory: Directory, refused: TokenRefused) => readonly Adapter[];
  /** Called when the last chat platform has failed, and only a person can repair the cause. */
  readonly over?: (error: AppError) => void;
  /** Access rules by platform. */
  readonly access: Readonly<Record<string, AccessRules>>;
  /**
   * Several accounts, instead of the account in the settings. `idAt` gives the id of the account that serves an
   * address.
   */
  readonly accounts?: {
    readonly all: readonly AccountSettings[];
    readonly idAt: (at: Address) => string;
  };
  /** The folder of the commands. Tests pass their own folder. */
  readonly commands?: string;
  /** The kinds of options. Tests pass their own kinds. */
  readonly kinds?: Kinds;
  /** Whether Edgegap is simulated on this machine. The simulator can send callbacks to the bot's own port. */
  readonly loopback?: boolean;
}

/** The whole bot, created but not yet started. */
export type App = Awaited<ReturnType<typeof buildApp>>;

export async function buildApp({
  config,
  clock,
  heartbeat = systemClock,
  log,
  adapters: makeAdapters,
  over = () => undefined,
  access,
  accounts: given = { all: [accountOf(config)], idAt: () => DEFAULT_ACCOUNT },
  commands,
  kinds,
  loopback = false,
}: AppParts) {
  const directory = await loadCommands(commands ?? COMMANDS, kinds);
  // `alarm` is defined later in this function. The adapters call `alarm` only after the start.
  const adapters = makeAdapters(directory, (...refusal) => alarm(...refusal));
  const store = await openStore(dialectFor(config.database, log));
  const shared = isShared(config.database);
  const lifeline = lifelineOf(config.database, log, store);
  const membership = new Membership({ store: lifeline, shared, clock: heartbeat, log });
  const leases = new Leases(store, membership, clock);
  const repository = new DeploymentRepository(store, clock, config.dashboard);
  // Usually the database's time is used. If a test passes its own `clock`, that clock may run faster than the
  // database's clock, so the bot then uses only `clock`.
  const time = clock === heartbeat ? 'database' : 'clock';
  // All accounts share this list, because a secret of an account may appear in the texts of a different account.
  const secrets = [...new Set([...config.secrets, ...given.all.map(({ token }) => token)])];
  // Masks secrets in texts from Edgegap as soon as the texts arrive. Later steps do not mask the texts again.
  const mask = createMask(secrets);
  // A log without output, because the doctor reports every failure itself.
  const quiet = createLog({ level: 'silent', secrets });
  const outbox = createOutboxWorker({ store, membership, adapters, clock, log });
  const charts = createCharts({ clock: heartbeat, log });
  const logSearches = createLogSearches({ clock: heartbeat, log });
  const reader = createReader({ clock, realClock: heartbeat, log });
  const alarm = createAlarm({
    access,
    adapters: () => adapters,
    tokenOf: (setting) => tokensOf(config)[setting],
    store,
    clock,
    log,
  });
  let publicUrl = config.publicUrl;
  const ownDeployment = openOwnDeployment({ ...config, store, membership, clock, log });
  const adapterOf = (platform: string) => adapters.find((one) => one.platform === platform);
  const parts = {
    store,
    repository,
    membership,
    leases,
    confirm: (tx: Store, id: string) => invocations.confirm(tx, id),
    clock,
    time,
    log,
    mask,
    limits: shareOfLimits(config.edgegap.share),
    publicUrl: () => publicUrl,
    deployLimits: config.deployLimits,
    secrets,
    tokenRefused: (error: AppError) => alarm('EDGEGAP_API_TOKEN', error),
    flightRecorder: config.flightRecorder,
  } as const;
  const opened = given.all.map((one) => openAccount(one, parts));
  const accounts = new Accounts(opened, given.idAt);
  const callbacks = new Callbacks({ ...parts, deployments: (account) => accounts.byId(account).deployments });
  const conclude = (tx: Store, id: string) => invocations.conclude(tx, id);
  const plansOf = (account: string) => new Plans({ store, clock, account, conclude });
  const services = ({
    id,
    api,
    client,
    vault,
    catalog,
    roster,
    allowlist,
    deployments,
    plannedStops,
    recorder,
    guard,
  }: OpenAccount): Services => ({
    deployments,
    plannedStops,
    recordings: recorder.recordings,
    guard,
    edgegap: api,
    vault,
    catalog,
    roster,
    keepFresh: () => refreshers.get(id)?.used(),
    charts,
    logSearches,
    directory,
    payloads: createPayloads(store, clock, id),
    presets: createPresets(store, id),
    plans: plansOf(id),
    followers: new Followers({ store, clock, account: id, conclude }),
    async hasLeft({ id }, { platform, workspace }) {
      try {
        return (await adapterOf(platform)?.person(id, workspace))?.home === false;
      } catch (error) {
        log.info({ err: error, person: id, platform }, 'a platform did not say whether a person has left');
        return false;
      }
    },
    carryOut(stored) {
      const { platform } = stored.at;
      const adapter = adapterOf(platform);
      if (!adapter) throw new Error(`A stored request for ${platform}, which is not set up`);
      return pipeline.carryOut(storedInvocation(stored, { adapter, store, clock }));
    },
    ownDeployment,
    examine: async () =>
      (await doctor()).examine({ config, directory, clock, log: quiet, store, edgegap: client }),
    clock,
    settings: {
      defaultNear: config.defaultNear,
      dashboard: config.dashboard,
      savesLogs: config.flightRecorder,
      maxTagLength: config.maxTagLength,
      applicationAllowlist: allowlist,
      fleets: config.fleets,
      lifetime: config.lifetime,
      secrets,
    },
  });
  const invocations = createInvocations({ store, membership, directory, clock, realClock: heartbeat, log });
  const recovery = createRecovery({ invocations, store, membership, directory, clock, log });
  const policy = { rules: access, readOnly: config.readOnly };
  const pipeline = createPipeline({
    services: (at) => services(accounts.of(at)),
    policy,
    perPerson: config.perPerson,
    invocations,
    clock,
    realClock: heartbeat,
    log,
  });
  const purges = purging({
    clock,
    keepMs: config.keepMs,
    purges: {
      deployments: (before) => repository.schedule.purge(before),
      invocations: (before) => recovery.purge(before),
      kept: (before) => purgePayloads(store, before),
      plans: (before) => purgePlans(store, before),
      recordings: (before) => purgeRecordings(store, before),
      outbox: (before) => purgeOutbox(store, before),
      channels: (before) => purgeChannels(store, membership, before),
      room: () => returnFreeSpace(store),
    },
  });
  const stops = stopsLater({ accountOf: (id) => accounts.byId(id), policy, adapters, clock, log });
  const warnings = endWarnings((id) => accounts.byId(id).deployments, config.lifetime.most);
  const bulk = carryingOut({
    accountOf(account) {
      const { api, deployments, recorder } = accounts.byId(account);
      const beforeStop = (ids: readonly string[]) => recorder.beforeStop(ids, { quiet: true });
      return { api, deployments, plans: plansOf(account), beforeStop, clock };
    },
    readOnly: config.readOnly,
    log,
  });
  const refreshers = new Map(
    opened.map((one) => [
      one.id,
      createRefresher({
        ...one,
        fleets: () => knownFleets({ settings: config, payloads: createPayloads(store, clock, one.id) }),
        clock,
        log,
      }),
    ]),
  );
  const following = followingLogs({
    accountOf: (id) => accounts.byId(id),
    reader,
    store,
    clock,
    secrets,
    adapters,
    log,
  });
  const explaining = reports({ accountOf: (id) => accounts.byId(id), store, clock, log });
  const tasks = [purges, forgettingPayloads(store), ...stops, warnings, bulk, following, ...explaining];
  const work = new TaskWorker({ store, membership, account: EVERY_ACCOUNT, kinds: tasks, clock, log });
  const gaveUp = (platform: string, error: AppError) => {
    if (platform === 'discord' && error instanceof ConfigError) alarm('DISCORD_TOKEN', error);
  };
  const platforms = createPlatforms({
    adapters,
    leases,
    membership,
    clock,
    log,
    inbox: pipeline,
    over,
    gaveUp,
  });
  let warmed: Promise<unknown> = Promise.resolve();
  let stopping = false;
  const server = buildServer({
    callbacks,
    mounts: adapters.flatMap(({ http }) => (http ? [http] : [])),
    whoAmI: createWhoAmI(config.secrets),
    readiness: createReadiness({
      store,
      membership,
      platforms,
      clock: heartbeat,
      isStopping: () => stopping,
    }),
    clock,
    log,
  });
  return {
    directory,
    /** Starts every part. The order of the starts makes sure that no request is lost. */
    async start() {
      // Callbacks start first, because Edgegap does not repeat a callback. Chat starts when everything that a
      // command needs is ready.
      if (await membership.join())
        for (const { permits } of accounts.all) await waitOut(permits, Object.keys(parts.limits));
      const port = await server.listen(config.port, config.host === undefined ? undefined : [config.host]);
      if (loopback) publicUrl ??= `http://127.0.0.1:${port}`;
      const report = (why: object, message: string) => {
        if (!stopping) log.error(why, message);
      };
      const warming = accounts.all.map((one) => ({ id: one.id, done: warmUp(one, report) }));
      await recovery.start();
      await callbacks.start();
      for (const { reconciler } of accounts.all) await reconciler.start();
      await platforms.start();
      // The lists for suggestions are read after the platforms have started, because reading thousands of deployments
      // takes time.
      warmed = Promise.all(warming.map(({ id, done }) => done.then(refreshers.get(id)?.start)));
      await outbox.start();
      await work.start();
      log.info({ port, platforms: adapters.map(({ platform }) => platform) }, 'started');
      if (publicUrl === undefined)
        log.warn(
          'PUBLIC_URL is not set: Edgegap cannot call back, so I ask Edgegap for news every few seconds instead',
        );
      return { port };
    },
    /**
     * Logs faults that the start itself does not notice. The caller runs this check after the start and does not wait
     * for it.
     */
    async warn(): Promise<void> {
      const { examineAtStart } = await doctor();
      const findings = await examineAtStart({ config, directory, clock, log: quiet, store });
      for (const { check, state, says: problem, mend: hint } of findings)
        if (state !== 'ok' && !stopping)
          log[state === 'wrong' ? 'error' : 'warn']({ check, problem, hint }, FOUND);
    },
    /** Resolves when the first attempt to read each list for suggestions has succeeded or failed. */
    warmed: () => warmed,
    /** Resolves when every invocation has been answered and the bot has tried to send every message. */
    async settled() {
      await pipeline.idle();
      await callbacks.idle();
      await outbox.idle();
    },
    /** Stops in order: refuses new requests, finishes running work, then closes the connections. */
    async stop() {
      stopping = true;
      for (const adapter of adapters) adapter.hurry?.();
      await stopInOrder({
        clock,
        server,
        platforms,
        pipeline,
        accounts: accounts.all,
        callbacks,
        outbox,
        background: [work, recovery, charts, logSearches, reader, ...refreshers.values()],
        membership,
        stores: [lifeline, store],
      });
      log.info('stopped');
    },
  };
}

function tokensOf({ edgegap, discord, slack }: Config): Readonly<Record<TokenSetting, string | undefined>> {
  return {
    EDGEGAP_API_TOKEN: edgegap.token,
    DISCORD_TOKEN: discord?.token,
    SLACK_BOT_TOKEN: slack?.botToken,
    SLACK_APP_TOKEN: slack?.mode.kind === 'socket' ? slack.mode.appToken : undefined,
  };
}

function accountOf({ edgegap, applicationAllowlist }: Config): AccountSettings {
  const { apiUrl, proxy, token = 'none' } = edgegap;
  return { id: DEFAULT_ACCOUNT, apiUrl, proxy, token, allowlist: applicationAllowlist };
}

/**
 * Fills the cache before the first person asks. The log then shows a wrong token at the start of the bot, and not only
 * at the first deploy.
 */
async function warmUp(
  { id: account, catalog }: Account,
  report: (why: object, message: string) => void,
): Promise<void> {
  try {
    await Promise.all([catalog.applications(), catalog.locations()]);
  } catch (err) {
    const why =
      err instanceof AppError ? { code: err.code, problem: err.userMessage, hint: err.hint } : { err };
    report(
      { account, ...why },
      'Edgegap does not answer as it should: commands will fail until this is mended',
    );
  }
}
