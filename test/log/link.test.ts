import { expect, test } from 'vitest';
import { isPublicLink } from '../../src/log/link.ts';

test.each(['https://attic.example/games/abc.log', 'http://attic.example:8080/abc.log?region=eu&page=1'])(
  'a link to a stored log may be shown to everyone if the link contains no secret: %s',
  (link) => expect(isPublicLink(link)).toBe(true),
);

test.each([
  'https://b.s3.amazonaws.com/x.log?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=abc',
  'https://b.storage.googleapis.com/x.log?X-Goog-Expires=600',
  'https://b.s3.amazonaws.com/x.log?AWSAccessKeyId=a&Signature=b&Expires=1',
  'https://b.blob.core.windows.net/x.log?sv=2020&sp=r&sig=abc',
  'https://d.cloudfront.net/x.log?Policy=a&Key-Pair-Id=b',
  'https://attic.example/x.log?token=a',
  'https://attic.example/x.log?a=%62#access_token=a',
  'https://user:abc@attic.example/x.log',
  'https://user@attic.example/x.log',
  'https://attic.example/callbacks/edgegap/ready/abc.def',
  'javascript:alert(1)',
  'attic/x.log',
  '',
])('a link that contains a secret or is not a web address must not be shown: %s', (link) =>
  expect(isPublicLink(link)).toBe(false),
);
