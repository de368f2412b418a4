import { describe, expect, test } from 'vitest';
import { maskedBody } from '../../src/edgegap/outside.ts';
import { createMask } from '../../src/log/mask.ts';
import { rig, TOKEN } from './harness.ts';
import { json } from './scripted-server.ts';

const OURS = 'correct-horse-of-ours';
const mask = createMask([TOKEN, OURS]);

test("if Edgegap's refusal contains secrets, the bot masks them, including its own secrets", async () => {
  await using edgegap = await rig({ mask });
  edgegap.server.script(
    json(400, {
      message: `bad registry: password=hunter2, ${TOKEN}`,
      details: { sent: OURS, api_key: 'swordfish' },
    }),
  );
  const error = await edgegap.client.status('93924761ccde').catch((why: unknown) => why);
  expect(JSON.stringify([error, String(error)])).not.toMatch(/hunter2|swordfish/);
  expect(JSON.stringify([error, String(error)])).not.toContain(TOKEN);
  expect(JSON.stringify([error, String(error)])).not.toContain(OURS);
});

test("secrets in Edgegap's data about a deployment are masked, but the bot's own tag and names are not", async () => {
  await using edgegap = await rig({ mask: createMask(['chatops', 'kart-racing']) });
  const told = {
    request_id: '93924761ccde',
    current_status: 'Status.ERROR',
    app_name: 'kart-racing',
    error: true,
    error_detail: 'pull failed: kart-racing, password=hunter2',
    tags: ['chatops-0123456789ab', 'token=abcdef12'],
  };
  edgegap.server.script(json(200, told));
  expect(await edgegap.client.status('93924761ccde')).toMatchObject({
    app_name: 'kart-racing',
    error_detail: 'pull failed: [masked], password=[masked]',
    tags: ['chatops-0123456789ab', 'token=[masked]'],
  });
});

describe('the body of a callback', () => {
  const body = JSON.stringify({
    request_id: '93924761ccde',
    current_status: 'ERROR',
    error: true,
    error_detail: `password=hunter2 ${OURS}`,
    container_env: { DB_PASSWORD: 'swordfish' },
  });

  test('secrets in the body of a callback are masked before the body is stored, and the body stays valid JSON', () => {
    const stored = JSON.parse(maskedBody(body, mask));
    expect(stored).toMatchObject({ request_id: '93924761ccde', current_status: 'ERROR' });
    expect(JSON.stringify(stored)).not.toMatch(/hunter2|swordfish|correct-horse/);
    expect(maskedBody(JSON.stringify(stored), mask)).toBe(JSON.stringify(stored));
  });

  test('a callback body that is not valid JSON is stored with secrets masked', () => {
    expect(maskedBody(`<error>${OURS} password=hunter2`, mask)).toBe('<error>[masked] password=[masked]');
  });
});
