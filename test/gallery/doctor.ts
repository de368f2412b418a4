import { doctorCard } from '../../src/command/doctor-card.ts';
import { ok, warning, wrong } from '../../src/finding.ts';
import type { Sample } from './sample.ts';

const fine = [
  ok('versions', 'edgegap-chatops 1.2.0 on Node.js 24.21.0.'),
  ok('edgegap.token', 'Edgegap accepts EDGEGAP_API_TOKEN.'),
  ok('clock', 'This machine’s clock agrees with Slack’s clock.'),
];

const faults = [
  wrong(
    'address.public',
    'PUBLIC_URL leads to another service, which answers HTTP 200.',
    'Let the reverse proxy pass every path of PUBLIC_URL on to the bot’s port: see docs/hosting.md.',
  ),
  warning(
    'store.disk',
    'The disk of the database has 200.0 MiB free.',
    'Free space on the disk: without room, the bot stores nothing and refuses every command.',
  ),
];

/** These findings are invented, because real findings name the machine on which the doctor runs. */
export const doctorSamples: readonly Sample[] = [
  { group: 'doctor', name: 'everything is well', shown: doctorCard(fine) },
  { group: 'doctor', name: 'faults', shown: doctorCard([...fine, ...faults]) },
];
