import type { CardName } from './cards.ts';

/** The effects of a button. Labels of buttons may change, so the tests identify a button by its action. */
export interface Behaviour {
  /** Whether the button needs the right to change servers, instead of the right to see them. */
  readonly changes?: true;
  /** Whether every person may press the button. */
  readonly isOpen?: true;
  /**
   * Where the answer appears: privately to the person, instead of the message with the button, as a new message in the
   * channel, or as a form.
   */
  readonly answers: 'privately' | 'in place' | 'publicly' | 'form';
  /** The answer. */
  readonly says: RegExp;
  /** The requests to Edgegap that change something, such as `DELETE stop`. */
  readonly sends?: readonly string[];
  /** The private answer to a press after the button has been used. If absent, the button can be used again. */
  readonly spent?: RegExp;
  /** The answer after the server has ended, if this answer differs from the usual answer. */
  readonly ended?: RegExp;
  /** The answer an hour later, if this answer differs from the usual answer. */
  readonly late?: RegExp;
}

const asksToDeploy: Behaviour = { changes: true, answers: 'privately', says: /Deploy \S+ \S+\?/ };
const confirmed = /moment ago|answered already|no longer|already/;
const reads = (says: RegExp, more: Partial<Behaviour> = {}): Behaviour => ({
  answers: 'privately',
  says,
  ...more,
});
const turns = (says: RegExp): Behaviour => ({ answers: 'in place', says });
const opens = (says: RegExp, more: Partial<Behaviour> = {}): Behaviour => ({
  answers: 'form',
  says,
  ...more,
});
/** The card's words for a server that has not ended. */
const RUNNING = /Ready|Failed/;
const GONE =
  /has ended|has stopped|Stopped|already stopped|no longer|log is gone|ended deployments|ended servers/;

/** The effects of every action of every command, and of the actions that open commands and their forms. */
export const behaviours: Readonly<Record<string, Behaviour>> = {
  'logs:show': reads(/Log of/, { ended: /Log of|log is gone/ }),
  'logs:refresh': { answers: 'in place', says: /Log of/, ended: /Log of|log is gone/ },
  'logs:share': { answers: 'publicly', says: /Log of/, ended: /Log of|log is gone/ },
  'logs:follow': reads(/I show the new lines/, {
    spent: /I follow this log/,
    ended: /has ended, so its log/,
  }),
  'logs:unfollow': reads(/I stopped following/, {
    // The answer depends on whether the task that follows the log has already ended.
    spent: /do not follow this log|I stopped following/,
    ended: /do not follow this log/,
    late: /do not follow this log/,
  }),
  'metrics:show': {
    answers: 'publicly',
    says: /Metrics of/,
    ended: /Metrics of|has ended/,
    late: /Metrics of|no measurements/,
  },
  'metrics:window': { answers: 'in place', says: /Metrics of/, ended: /Metrics of|has ended/ },
  'tags:show': reads(/Tags of/),
  'status:refresh': { answers: 'in place', says: RUNNING, ended: GONE },
  'stop:ask': {
    changes: true,
    answers: 'privately',
    says: /Stop \S+ \S+\?/,
    ended: /has already stopped/,
  },
  'stop:confirm': {
    changes: true,
    answers: 'in place',
    says: /Stopping/,
    sends: ['DELETE stop'],
    spent: /answered already/,
    ended: /already stopped|probably stopped|nothing left to stop/,
  },
  'stop:cancel': {
    changes: true,
    answers: 'in place',
    says: /Nothing was stopped/,
    spent: /answered already/,
  },
  'stop:revoke': {
    changes: true,
    answers: 'privately',
    says: /is not stopped/,
    spent: /no longer planned/,
    ended: /no longer planned|is not stopped/,
  },
  'deploy:again': asksToDeploy,
  'deploy:elsewhere': { changes: true, answers: 'privately', says: /Choose a city/ },
  'deploy:confirm': {
    changes: true,
    answers: 'publicly',
    says: /lobby-chat stable/,
    sends: ['POST deploy'],
    spent: confirmed,
    late: /more than 15 minutes ago/,
  },
  'deploy:cancel': {
    changes: true,
    answers: 'in place',
    says: /Nothing was deployed/,
    spent: confirmed,
    late: /more than 15 minutes ago/,
  },
  'deploy:extend': {
    changes: true,
    answers: 'privately',
    says: /now ends/,
    spent: /no longer open/,
    ended: /no longer open|has ended/,
    late: /no longer open|has ended/,
  },
  'deploy:keep': {
    changes: true,
    answers: 'privately',
    says: /do not stop the server any more/,
    spent: /no longer open/,
    ended: /no longer open|has ended/,
    late: /no longer open|has ended/,
  },
  'bulk-stop:confirm': {
    changes: true,
    answers: 'in place',
    says: /Confirmed/,
    sends: ['POST stopMany'],
    spent: confirmed,
    late: /15 minutes/,
  },
  'bulk-stop:cancel': {
    changes: true,
    answers: 'in place',
    says: /Nothing was stopped/,
    spent: confirmed,
    late: /15 minutes/,
  },
  'bulk-stop:again': {
    changes: true,
    answers: 'privately',
    says: /Stop 1 \w+\?/,
    ended: /left to try again/,
  },
  'tags:confirm': {
    changes: true,
    answers: 'in place',
    says: /Confirmed/,
    sends: ['POST addTag'],
    spent: confirmed,
    late: /15 minutes/,
  },
  'tags:cancel': {
    changes: true,
    answers: 'in place',
    says: /Nothing was changed/,
    spent: confirmed,
    late: /15 minutes/,
  },
  'tags:again': {
    changes: true,
    answers: 'privately',
    says: /Add final to 1 \w+\?/,
    ended: /left to try again/,
  },
  'list:open': reads(RUNNING, { ended: GONE, late: /Ready|Failed|Stopped/ }),
  'list:page': turns(/\d+ active/),
  'orphans:open': reads(RUNNING, { ended: /has (?:ended|terminated)|has a person|no longer/ }),
  'orphans:page': turns(/without a person/),
  'orphans:refresh': {
    answers: 'in place',
    says: RUNNING,
    ended: /has (?:ended|terminated)|has a person|no longer/,
  },
  'orphans:adopt': {
    changes: true,
    answers: 'in place',
    says: /You adopted/,
    spent: /has a person|already/,
    ended: /has (?:ended|terminated)|no longer/,
  },
  'versions:page': turns(/arena-shooter/),
  'locations:page': turns(/places/),
  'hosts:page': turns(/12 hosts/),
  'preset:page': turns(/presets/),
  'help:topic': { ...turns(/Start a server/), isOpen: true },
  'home:refresh': turns(/You run/),
  'self-stop:confirm': {
    changes: true,
    answers: 'in place',
    says: /I stop now/,
    sends: ['DELETE selfStop'],
    spent: confirmed,
    late: /more than 15 minutes ago/,
  },
  'self-stop:cancel': {
    changes: true,
    answers: 'in place',
    says: /I go on running/,
    spent: confirmed,
    late: /more than 15 minutes ago/,
  },
  'deploy:call': opens(/Deploy/, { changes: true }),
  'preset:call': reads(/presets/),
  'versions:call': opens(/Versions/),
  'home:call': reads(/You run/),
  'list:call': reads(/\d+ active/),
  'status:call': opens(/Status/),
  'logs:call': opens(/Logs/),
  'metrics:call': opens(/metrics/),
  'tags:call': opens(/tag/, { changes: true }),
  'stop:call': opens(/Stop/, { changes: true }),
  'bulk-stop:call': opens(/Stop/, { changes: true }),
  'stop:form': opens(/Stop/, { changes: true }),
};

const OF_A_READY_SERVER = ['logs:show', 'metrics:show', 'tags:show', 'status:refresh', 'stop:ask'];
const AFTER_A_FAILURE = ['logs:show', 'deploy:again', 'deploy:elsewhere'];

/** The actions on each kind of message. */
export const actionsOn: Readonly<Record<CardName, readonly string[]>> = {
  'the live card of a ready server': OF_A_READY_SERVER,
  'the live card of a failed server': [
    'logs:show',
    'metrics:show',
    'deploy:again',
    'deploy:elsewhere',
    'status:refresh',
    'stop:ask',
  ],
  'the live card of an ended server': ['logs:show', 'deploy:again'],
  'the live card of a deploy with an unknown outcome': ['deploy:again'],
  'a crash report': AFTER_A_FAILURE,
  'an answer of status': OF_A_READY_SERVER,
  'an answer of logs': ['logs:refresh', 'logs:share', 'logs:follow'],
  'the card of a followed log': ['logs:unfollow'],
  'a chart of metrics': ['metrics:window'],
  'the question before a stop': ['stop:cancel', 'stop:confirm'],
  'the question before a planned stop': ['stop:cancel', 'stop:confirm'],
  'the card of a planned stop': ['stop:revoke'],
  'the question before a deploy': ['deploy:confirm', 'deploy:cancel'],
  'the menu of other cities': ['deploy:again'],
  'the question before the end of a lifetime': ['stop:ask', 'deploy:extend', 'deploy:keep'],
  'the plan of a bulk-stop': ['bulk-stop:confirm', 'bulk-stop:cancel'],
  'the result of a bulk-stop': ['bulk-stop:again'],
  'the plan of new tags': ['tags:confirm', 'tags:cancel'],
  'the result of new tags': ['tags:again'],
  'the list of servers': ['list:open', 'list:page'],
  'the list of orphans': ['orphans:open', 'orphans:page'],
  'an orphan': ['logs:show', 'metrics:show', 'tags:show', 'orphans:refresh', 'stop:ask', 'orphans:adopt'],
  'the list of versions': ['versions:page'],
  'the list of cities': ['locations:page'],
  'the list of hosts': ['hosts:page'],
  'the list of presets': ['preset:page'],
  'the home of a person': [
    'deploy:call',
    'list:call',
    'list:open',
    'logs:show',
    'deploy:again',
    'stop:ask',
    'deploy:extend',
    'home:refresh',
  ],
  'the topics of help': ['help:topic'],
  'the menu': [
    'deploy:call',
    'preset:call',
    'versions:call',
    'home:call',
    'list:call',
    'status:call',
    'logs:call',
    'metrics:call',
    'tags:call',
    'stop:call',
    'bulk-stop:call',
  ],
  'an error that a form can mend': ['stop:form'],
  'the question before the bot stops': ['self-stop:confirm', 'self-stop:cancel'],
};

/** The effects of an action on those kinds of messages on which the effects differ. */
const exceptions: Readonly<Partial<Record<CardName, Readonly<Record<string, Partial<Behaviour>>>>>> = {
  'the live card of an ended server': { 'logs:show': { says: /Log of|log is gone/ } },
  'the live card of a deploy with an unknown outcome': {
    'deploy:again': {
      answers: 'publicly',
      says: /lobby-chat stable/,
      sends: ['POST deploy'],
      spent: /again already/,
    },
  },
  'the question before the end of a lifetime': { 'stop:ask': { late: /has already stopped/ } },
  'the question before a planned stop': {
    'stop:confirm': { says: /stops in 3 h/, sends: [], spent: /answered already/ },
  },
};

export function behaviourOf(card: CardName, action: string): Behaviour {
  const usual = behaviours[action];
  if (!usual) throw new Error(`${action} is missing in the table`);
  return { ...usual, ...exceptions[card]?.[action] };
}
