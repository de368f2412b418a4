/**
 * The likelihood that a name belongs to a secret. `password`: every value is masked, except a state such as `expired`.
 * `token`: like `password`, but a small number is also shown. `perhaps`: only a value that looks made up is masked.
 * `hardly`: only a value that looks random is masked.
 */
export type Sureness = 'password' | 'token' | 'perhaps' | 'hardly' | 'no';

/** Returns the words of a text as a set. */
export const wordSet = (words: string) => new Set(words.split(/\s+/));

/**
 * Words that indicate a secret at any position in a name. The value is masked unless it clearly has a different
 * meaning.
 */
const SECRET =
  /(?:password|passwd|passphrase|secret|token|apikey|secretkey|accesskey|privatekey|authkey)$|^(?:passcode|passwort|credentials?|creds|jwt|t?otp|mnemonic|psk|authorization|cookie|requirepass|masterauth|gslt|setsteamaccount|dockerconfigjson|jsessionid|phpsessid)$|^(?:db|sql|mysql|user|root|admin|smtp|ftp|rcon|store|key)pass$/;
/** Names of passwords. The value is masked even if it is a number or a single word. */
const PASSWORD =
  /pass(?:word|wd|phrase)$|^(?:passcode|passwort|pwd|pass|pw|pin|requirepass|masterauth)$|^(?:db|sql|mysql|user|root|admin|smtp|ftp|rcon|store|key)pass$/;
/**
 * Words that indicate a secret only at the end of a longer name, because `pass` alone may mean a ticket, and `PWD`
 * alone means a folder.
 */
const LAST_WORDS = wordSet(
  'pass pwd pw auth key keys sig signature sas bearer pin salt pepper dsn basic ticket',
);
/** After one of these words, even the word `key` indicates a secret. */
const KEY_OWNERS = wordSet(
  `api access secret private priv encryption decryption encrypt crypto cipher signing sign jwt auth oauth master account
  shared storage ssh rsa aes hmac deploy admin root webhook hook write ingest integration subscription license bot
  registry rcon steam playfab photon edgegap stripe sendgrid twilio mailgun aws gcp azure google openai anthropic
  github gitlab slack discord datadog sentry algolia heroku cloudflare digitalocean hub twitch eos unity firebase
  instrumentation supabase tls ssl pem tfc consul vault pgp gpg cookie`,
);
/** After one of these words, or a word of `KEY_OWNERS`, the word `pass` or `auth` indicates a secret. */
const HOLDERS = wordSet(
  `session service client consumer app application user db database mysql postgres pg pgsql sql redis mongo mongodb
  rabbitmq amqp mq smtp mail email ftp sftp ldap vpn wifi server sa login http proxy basic docker nats kafka es elastic
  spotify epic gamelift agones sas ca cert team organization project sdk rest sso saml root admin host game`,
);
/** A name with one of these words only describes a secret, for example its number, its length or its location. */
const ABOUT_WORDS = wordSet(
  `count counts length len type limit limits max min size ttl expiry expires expire expiration expired age timeout name
  names file files path paths dir url uri endpoint host required require requires enabled disabled enable policy hint
  field fields valid validity status state service cache cached bucket buckets pool store storage validation version
  format algorithm alg index usage budget rate used headers prefix suffix strength reset changed attempts attempt
  retries rotation rotated refresh refreshed interval errors exception check checks checked test level kind source in
  at seconds secs minutes ms days bytes bits set total remaining available left mode audience scope scopes verification
  verify verified lifetime window offset position range list stream kept factory request requests response renewal
  event events class module plugin component system ring box bar shop room map item items area ending boss weapon skin
  achievement achievements found unlocked collected passage cave ingredient protected score entropy balance symbol
  price amount supply reward cost currency colour icon sprite texture prefab mesh drop drops spawn spawned pickup slot
  slots based bound entry screen dialog message text title`,
);
/** The value of a name with one of these suffixes may still be a secret. */
const PERHAPS_WORDS = wordSet('id hash digest url uri string str base data value b64 base64');
/** A name with one of these words in front holds no secret, but a count or a public value: `MAX_TOKENS`, `public key`. */
const NOT_SECRET_BEFORE = wordSet(
  `max min num total count number avg average used remaining prompt completion input output public primary foreign
  unique sort partition composite hot unexpected syntax next previous prev page continuation pub invalid missing no
  cancellation`,
);

/**
 * After one of these words, a `ticket` is a secret that proves who a person is. A matchmaker's ticket, in contrast, is
 * public.
 */
const TICKET_OWNERS = wordSet('session auth steam login entity identity');

/** A word for a component that acts, for example a spawner or a handler. */
const DOER = /^(?!user$|server$|docker$|owner$|number$).+(?:er|or)$/;

/**
 * Returns the words of a name such as `NetworkTokenManager`, `MAX_TOKENS` or `x-api-key`, in lower case and without
 * numbers.
 */
function wordsOf(name: string): string[] {
  const apart = name.replace(/(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, ' ');
  return apart.toLowerCase().match(/[a-z]+/g) ?? [];
}

/** `before` is the word before the name, as in `API key`, or '' if there is no such word. */
export function surenessOf(name: string, before: string): Sureness {
  const words = wordsOf(name);
  const at = words.findLastIndex((word) => SECRET.test(singular(word)));
  const sureness = at === -1 ? undefined : surenessOfWord(words, at, before.toLowerCase());
  // In a name such as `secrets.DB_PW`, the last word has priority.
  if (sureness && (sureness !== 'perhaps' || !PASSWORD.test(words.at(-1) ?? ''))) return sureness;
  const last = words.findLastIndex((word) => !PERHAPS_WORDS.has(word));
  const word = words[last] ?? '';
  if (!LAST_WORDS.has(word)) return 'no';
  return surenessOfLast(word, words[last - 1] ?? before.toLowerCase(), last < words.length - 1);
}

function surenessOfWord(words: readonly string[], at: number, spaced: string): Sureness {
  const word = words[at] ?? '';
  const [before, after] = [words[at - 1], words.slice(at + 1)];
  if (before !== undefined && NOT_SECRET_BEFORE.has(before)) return 'no';
  if (after.some((one) => ABOUT_WORDS.has(one) || DOER.test(one))) return 'no';
  if (word !== singular(word) || after.some((one) => PERHAPS_WORDS.has(one))) return 'perhaps';
  if (before === undefined && NOT_SECRET_BEFORE.has(spaced)) return 'hardly';
  return PASSWORD.test(word) ? 'password' : 'token';
}

function surenessOfLast(word: string, before: string, more: boolean): Sureness {
  if (NOT_SECRET_BEFORE.has(before)) return 'no';
  if (word === 'ticket') return TICKET_OWNERS.has(before) && !more ? 'token' : 'no';
  const owned = KEY_OWNERS.has(before);
  if (word === 'key' || word === 'keys') {
    if (before === '') return 'no';
    return !owned ? 'hardly' : more || word === 'keys' ? 'perhaps' : 'token';
  }
  if (PASSWORD.test(word))
    return owned || HOLDERS.has(before) ? 'password' : word === 'pin' ? 'no' : 'perhaps';
  return (owned || HOLDERS.has(before)) && word === 'auth' ? 'perhaps' : 'hardly';
}

/** A plural, such as `tokens` or `passwords`, usually means a number of secrets and not a secret. */
function singular(word: string): string {
  return word === 'credentials' || word === 'creds' ? word : word.replace(/s$/, '').replace(/pas$/, 'pass');
}
