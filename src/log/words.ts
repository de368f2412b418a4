/*
 * The words by which a name is told to be that of a secret, and a value to be none.
 */

const set = (words: string) => new Set(words.split(/\s+/));

/** Words that name a secret wherever they stand in a name; what they hold is hidden unless it is plainly something else. */
export const SECRET_WORDS = set(
  `token secret password passwd passphrase passcode passwort apikey authkey accesskey secretkey privatekey
  credential credentials creds authtoken accesstoken refreshtoken clientsecret jwt otp totp mnemonic psk
  authorization cookie requirepass masterauth gslt setsteamaccount`,
);
/** Of these even a number or a bare word is one. */
export const PASSWORD_WORDS = set(
  'password passwd passphrase passcode passwort pwd pass pw pin requirepass masterauth',
);
/** What names one only at the end of a longer name: a bare `pass` is a ticket, a bare `PWD` a folder. */
export const LAST_WORDS = set('pass pwd pw auth key keys sig signature sas bearer pin salt dsn basic');
/** After one of these even a `key` is a secret. */
export const KEY_OWNERS = set(
  `api access secret private priv encryption decryption encrypt crypto cipher signing sign jwt auth oauth master account shared
  storage ssh rsa aes hmac deploy admin root webhook hook write ingest integration subscription license bot registry rcon steam
  playfab photon edgegap stripe sendgrid twilio mailgun aws gcp azure google openai anthropic github gitlab slack discord
  datadog sentry algolia heroku cloudflare digitalocean hub twitch eos unity firebase supabase tls ssl pem tfc consul vault
  pgp gpg cookie`,
);
/** After one of these, and the ones above, a `pass` or `auth` is one. */
export const HOLDERS = set(
  `session service client consumer app application user db database mysql postgres pg pgsql sql redis mongo mongodb rabbitmq amqp
  mq smtp mail email ftp sftp ldap vpn wifi server sa login http proxy basic docker nats kafka es elastic spotify epic
  gamelift agones sas ca cert team organization project sdk rest sso saml root admin host game`,
);
/** Words that say that the name is of something about a secret: how many, how long, where. */
export const ABOUT_WORDS = set(
  `count counts length len type limit limits max min size ttl expiry expires expire expiration expired age timeout name names
  file files path paths dir folder url uri endpoint host required require requires enabled disabled enable policy hint field
  fields valid validity status state manager service provider handler cache cached bucket buckets pool store storage
  generator validator validation version format algorithm alg index usage budget rate used header headers prefix suffix strength reset changed
  attempts attempt retries rotation rotated refresh refreshed interval error errors exception check checks checked test level kind source in at seconds secs
  minutes ms days bytes bits set per total remaining available left mode issuer audience scope scopes verification verify
  verified lifetime window offset position range list parser stream kept factory service resolver request requests response renewal
  loader listener event events class module plugin controller component system renderer ring box bar shop door room level map
  item items area ending boss weapon skin achievement achievements found unlocked collected passage cave ingredient
  protected score entropy strength balance symbol price amount supply reward cost currency color colour icon sprite texture
  prefab mesh drop drops spawn spawned pickup slot slots based bound entry screen dialog message text title`,
);
/** Suffixes under which something secret may stand all the same. */
export const PERHAPS_WORDS = set('id hash digest url uri string str base data value b64 base64');
/** Words before it by which it is counted or not one: `MAX_TOKENS`, `public key`. */
export const NOT_SECRET_BEFORE = set(
  `max min num total count number avg average used remaining prompt completion input output public primary foreign unique
  sort partition composite hot unexpected syntax next previous prev page continuation pub invalid missing no
  cancellation`,
);

/** What stands for a state and not for a secret. */
export const STATES = set(
  `true false yes no on off none null nil undefined ok okay n/a na nan void expired invalid valid missing required optional
  accepted rejected refreshed set unset unknown present absent empty hidden redacted masked enabled disabled failed failure success
  successful succeeded changed updated created revoked denied granted loaded received verified unverified generated renewed
  rotated pending default not found wrong correct incorrect mismatch error matched matches ready used unused reused
  consumed available unavailable needed given exists deleted removed sent stored saved cached issued checking check passed
  string number boolean bool str int integer bytes object function array any text char varchar file env environment
  allowed forbidden unauthorized authorized authorised unauthorised authenticated anonymous skipped ignored done started starting
  request requested refreshing renewing validating validated initialized initialised connected active inactive blank
  omitted filtered obtained acquired fetched encrypted plain plaintext basic bearer oauth steam prompt`,
);
/** Words by which a value is read as a sentence. */
export const PROSE = set(
  `is are was were be been not no must may can cannot could will would should has have had does did do too please isn't wasn't`,
);
/** Words that only longer sentences have. */
export const LINKS = set('the which who that this or and to of for in with from');
/** Fields that hold a name and the ones that hold its value, where these are two. */
export const KEY_FIELDS = set(
  'key name variable env var header field id label setting property param parameter',
);
export const VALUE_FIELDS = set('value val values content stringvalue');
