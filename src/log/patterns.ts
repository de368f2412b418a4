/** The text that replaces a secret. */
export const MASK = '[masked]';

/**
 * Secrets that have a known format. The patterns match regardless of the name before the secret. Logs come from
 * outside, so no pattern may take quadratic time. Therefore each repetition has a maximum length or ends at the first
 * character that does not match. No pattern matches beyond the end of a line.
 */
export const SHAPES: readonly RegExp[] = [
  // Secrets of Slack and Discord, and JWTs.
  /\b(?:xox[a-z](?:\.xox[a-z])?|xapp)-[A-Za-z0-9-]+/g,
  /\b[MNO][A-Za-z0-9_-]{22,28}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}/g,
  /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*){1,3}/g,
  // Secrets of GitHub, GitLab, npm, PyPI, RubyGems, Docker Hub and Hugging Face.
  /\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|gl(?:pat|ptt|dt|rt|cbt|ft|imt|agent|soat|oas|ffct)-[\w.-]{16,}|pypi-[\w-]{16,}|rubygems_[0-9a-f]{32,}|dckr_(?:pat|oat)_[\w-]{16,})/g,
  /\b(?:npm_(?=\w{30})|hf_(?=\w{20}))(?=\w*[\dA-Z])[A-Za-z0-9]{20,}/g,
  // Secrets of AWS, Google, Azure, Alibaba, DigitalOcean, Vault, Terraform, Pulumi, Doppler, Cloudflare, Fly.io, Heroku
  // and Databricks.
  /\b(?:A3T[A-Z0-9]|AKIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|ASIA|ABIA|ACCA)[A-Z0-9]{16,}\b/g,
  /\b(?:AIza[\w-]{30,}|ya29\.[\w.-]{10,}|GOCSPX-[\w-]{16,}|1\/\/0[\w-]{20,}|LTAI[A-Za-z0-9]{16,}|[A-Za-z0-9_~.]{3}\dQ~[\w~.-]{31,})/g,
  /\b(?:do[opr]_v1_[0-9a-f]{16,}|hv[sbr]\.[\w-]{16,}|[A-Za-z0-9]{14}\.atlasv1\.[\w-]{20,}|pul-[0-9a-f]{32,}|dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{20,}|v1\.0-[0-9a-f]{20,}-[0-9a-f]{40,}|fo1_[\w-]{20,}|HRKU-[\w-]{20,}|dapi[0-9a-f]{32})/g,
  // Secrets of Stripe, Square, Shopify, PayPal, SendGrid, Mailgun, Mailchimp, Twilio, Telegram, Postman, Figma and
  // Linear.
  /\b(?:(?:[srp]k|rk)_(?:live|test|prod)_\w{10,}|whsec_[\w+/=-]{16,}|sq0[a-z]{3}-[\w-]{16,}|EAAA[\w-]{50,}|shp(?:at|ca|pa|ss)_[0-9A-Za-z]{16,}|access_token\$(?:production|sandbox)\$\w{10,}\$\w{20,})/g,
  /\b(?:SG\.[\w-]{16,}\.[\w-]{16,}|key-[0-9a-zA-Z]{32}|pubkey-[0-9a-f]{32}|[0-9a-f]{32}-us\d{1,2}|(?:SK|AC)[0-9a-f]{32}|PMAK-[0-9a-f]{24}-[0-9a-f]{30,}|fig[dou]_[\w-]{20,}|lin_api_\w{20,}|xkeysib-[0-9a-f-]{30,}|re_[A-Za-z0-9]{6,}_[A-Za-z0-9]{16,})/g,
  // Secrets of OpenAI, Anthropic and similar services, Replicate, Groq, Perplexity and xAI. `sk-SK` is not a secret but
  // the code of the Slovak language.
  /(?<![\w-])sk-(?!SK[\W_])(?=[\w-]*\d)(?=[\w-]*[A-Za-z0-9]{16})[\w-]{20,}/g,
  /\b(?:r8_\w{30,}|gsk_\w{30,}|pplx-\w{30,}|xai-\w{30,})/g,
  // Secrets of Grafana, New Relic, Sentry, Datadog, Dynatrace, PlanetScale, Supabase, Netlify, Prefect, age, 1Password,
  // Notion, Airtable and Atlassian.
  /\b(?:gl(?:sa|c)_[\w+/=-]{20,}|NR(?:AK|JS|II|RA)-[A-Za-z0-9-]{19,}|sntry[su]_[\w+/=-]{20,}|dt0[a-z]\d{2}\.[A-Z0-9]{20,}\.[A-Z0-9]{30,}|pscale_(?:tkn|pw|oauth)_[\w.-]{16,}|sb[ps]_[\w-]{20,}|nf[pco]_\w{30,}|pn[ub]_\w{30,}|AGE-SECRET-KEY-1[A-Z0-9]{20,}|ops_eyJ[\w-]{20,}|A3-[A-Z0-9-]{26,}|(?:ntn|secret)_(?=\w*\d)\w{30,}|pat[A-Za-z0-9]{14}\.[0-9a-f]{32,}|ATATT3[\w=-]{30,}|CFPAT-[\w-]{30,}|EZ[AT]K[A-Za-z0-9]{30,}|CLOJARS_\w{30,}|shippo_(?:live|test)_[0-9a-f]{30,}|ATBB\w{20,}|phc_\w{30,}|rnd_\w{20,}|lsv2_(?:pt|sk)_[\w-]{20,})/g,
  // Secrets of Artifactory, Bedrock, Dropbox, Fly.io, older Grafana, Harness, NVIDIA, Octopus Deploy, OpenShift,
  // Amazon's marketplace, Plaid and Tencent.
  /\b(?:AKCp[A-Za-z0-9]{60,}|cmVmd[A-Za-z0-9]{50,}|ABSK[\w+/]{60,}={0,2}|bedrock-api-key-[\w+/=]{20,}|sl\.[\w=-]{60,}|fm[12][ar]?_[\w+/=,]{20,}|eyJrIjoi[\w+/=]{40,}|pat\.[\w-]{16,}\.\w{16,}\.\w{16,}|nvapi-[\w-]{40,}|API-[A-Z0-9]{26}\b|sha256~[\w-]{40,}|amzn\.mws\.[0-9a-f-]{36}|access-(?:sandbox|development|production)-[0-9a-f-]{36}|AKID[A-Za-z0-9]{32,})/g,
  // Secrets of Adobe, Defined Networking, Duffel, Flutterwave, Frame.io, GitLab runners, Hugging Face, Infracost,
  // Intra42, MailerSend, MaxMind, ReadMe, Scalingo, SettleMint, Sourcegraph, Typeform, Yandex, ClickHouse and
  // Atlassian, and JWTs in base64.
  /\b(?:p8e-[a-z0-9]{30,}|dnkey-[\w=-]{40,}|duffel_(?:test|live)_[\w=-]{30,}|FLWSECK(?:_TEST)?-[0-9a-z-]{10,}|fio-u-[\w=-]{40,}|GR1348941[\w-]{16,}|api_org_[A-Za-z]{30,}|ico-[A-Za-z0-9]{32}\b|s-s4t2(?:ud|af)-[0-9a-f]{50,}|mlsn\.[0-9a-f]{60,}|[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk|rdme_[a-z0-9]{60,}|tk-us-[\w-]{40,}|sm_[aps]at_\w{16,}|sgp_\w{30,}|tfp_[\w.-]{40,}|AQVN[\w-]{35,}|4b1d[A-Za-z0-9]{38}\b|ATCTT3[\w=-]{30,}|ZXlK[\w+/-]{40,})/g,
  // Secrets of Telegram, Facebook, Twitter, Twitch and Discord.
  /(?<!\d)\d{8,10}:AA[\w-]{32,}/g,
  /\b(?:EAA[A-Za-z0-9]{30,}|A{20,}[\w%]{30,}|oauth:[a-z0-9]{28,}|mfa\.[\w-]{20,})/g,
  // A private key in base64, and as JSON (JWK).
  /\bLS0tLS1CRUdJTi[A-Za-z0-9+/=]{20,}/g,
  /(?<="(?:d|p|q|dp|dq|qi|k)"\s?:\s?")[\w-]{20,}(?=")/g,
  // Hashes of passwords.
  /\$(?:2[abxy]\$\d\d\$[./A-Za-z0-9]{50,}|argon2(?:id?|d)\$[^\s"',;]{20,}|(?:apr1|[1567]|y)\$[^\s"',;:]{20,})/g,
  // The secret of an Edgegap callback, and the links of Discord and Slack with which a stranger could post messages
  // under the bot's name.
  /(?<=\/callbacks\/edgegap\/[a-z]{1,20}\/)[^\s"'?]+/gi,
  /(?<=\/(?:interactions|webhooks)\/\d{5,20}\/)[\w.-]{10,}/gi,
  /(?<=(?:hooks\.(?:slack|zapier)|\.webhook\.office)\.com\/)[^\s"'?]+/gi,
  // The user and the password before the host of an address.
  /(?<=\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/"']{0,200}:)[^\s@/"']{1,500}(?=@)/gi,
  /(?<=\b[a-z][a-z0-9+.-]{0,30}:\/\/)(?=[\w-]{0,200}\d)[\w-]{16,200}(?=@)/gi,
  // `curl -u name:password`, and tools with a one-letter option before the password.
  /(?<=\s(?:-u|--user|--proxy-user)[\s=]["']?[\w.@+-]{1,60}:)[^\s"']+/g,
  /(?<=\b(?:sshpass\s+-p|redis-cli\b[^\n|;]{0,80}\s-a|docker\s+login\b[^\n|;]{0,80}\s-p|-P:)\s{0,2})[^\s-][^\s"']*/g,
  /(?<=\bmysql(?:dump|admin)?\b[^\n|;]{0,80}\s-p)[^\s"'-]{3,}/g,
  /(?<=\bidentified\s(?:with\s\S{1,40}\s)?by\s{1,4}["'])[^"'\n]+/gi,
  /(?<=\blogin\s{1,4}\S{1,80}\s{1,4}password\s{1,4})\S+/gi,
  // Passwords in the command lines of Steam and Unity.
  /(?<=\+login\s{1,4}(?!anonymous\b)[\w.@-]{1,60}\s{1,4})[^\s+-]\S*/g,
  /(?<=\s-serial\s{1,4})[^\s-]\S*/g,
  // Secrets in XML, if an attribute has the name of the secret. Also secrets in JSON whose quotation marks were escaped
  // twice.
  /(?<=<[^<>\n]{0,120}(?:password|passwd|secret|api_?key)["']?(?:\s[^<>\n]{0,120})?>(?:<!\[CDATA\[)?)[^<\]\n]+(?=<|\])/gi,
  /(?<=<[\w:.-]{0,40}(?:password|passwd|secret|api_?key)\s(?:[^<>\n]{0,80}\s)?value=["'])[^"'\n]+/gi,
  /(?<=<key>[\w.-]{0,40}(?:password|passwd|secret|token|api_?key)<\/key>\s?<string>)[^<\n]+/gi,
  /(?<=(?:&quot;|&#34;|\\u0022|%22)[\w.-]{0,40}(?:password|passwd|secret|token|api_?key)(?:&quot;|&#34;|\\u0022|%22)(?::|%3A)\s?(?:&quot;|&#34;|\\u0022|%22))[^\s"'<&\\%]+/gi,
  // Addresses without a scheme: database addresses in Go, and addresses of any host with a port.
  /(?<=(?:^|[\s"'=])[\w.-]{1,40}:)[^\s:@/"']{3,100}(?=@(?:tcp|unix)\(|@[\w.-]{1,80}:\d)/gm,
  /(?<=\b(?:password|passphrase|token|secret|api\skey)\s(?:is\sgenerated\s)?(?:for|of)\s(?:the\s)?(?:(?:user|player)\s)?["']?[\w@.-]{1,40}["']?(?:\sis\s|\s?[:=]\s?))(?=[^\s"',;]{0,80}\d)[^\s"',;]{4,}/gi,
  /(?<=(?:signature|\bsig)=)[\w+/%.~-]{16,}=*/gi,
];
