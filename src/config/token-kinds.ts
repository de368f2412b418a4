/** The formats of the secrets that people copy by mistake, each with its name. */
const KINDS: readonly (readonly [RegExp, string])[] = [
  [/^xoxb-/, 'a bot token of Slack'],
  [/^xoxp-/, 'a user’s token of Slack, not a bot token'],
  [/^xoxe\.xoxp-/, 'a configuration token of Slack'],
  [/^xoxe-/, 'a refresh token of Slack'],
  [/^xapp-/, 'an app-level token of Slack'],
  [/^xox[a-z]-/, 'a token of Slack of another kind'],
  [/^mfa\./, 'a user’s token of Discord, not a bot token'],
  [/^\d{17,20}$/, 'an id of Discord, not a token'],
  [/^[0-9a-f]{64}$/, 'a public key, as Discord shows one on the page General Information'],
  [/^[0-9a-f]{32}$/, 'a signing secret or client secret'],
  [/^(?:token )?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'a token of Edgegap'],
  [/^[\w-]{20,32}\.[\w-]{5,8}\.[\w-]{25,}$/, 'a token of Discord'],
  [/^[\w-]{32}$/, 'a client secret, as Discord shows one on the page OAuth2'],
];

/**
 * The type of a secret, as a noun with its article. The format of the secret shows its type. Undefined for an unknown
 * format.
 */
export function kindOfSecret(value: string): string | undefined {
  return KINDS.find(([shape]) => shape.test(value))?.[1];
}
