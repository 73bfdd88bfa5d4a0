// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { endpointOf, isLoopback } from './endpoint.ts';
import { nextPage } from './tag-list.ts';

test.each([
  ['localhost', undefined, 'http://localhost'],
  ['localhost:5000', undefined, 'http://localhost:5000'],
  ['127.0.0.1:5000', undefined, 'http://127.0.0.1:5000'],
  ['127.8.8.8', undefined, 'http://127.8.8.8'],
  ['[::1]:5000', undefined, 'http://[::1]:5000'],
  ['localhost:5000', false, 'https://localhost:5000'],
  ['r.example', undefined, 'https://r.example'],
  ['r.example:80', true, 'http://r.example'],
  ['docker.io', undefined, 'https://registry-1.docker.io'],
  ['127.0.0.1.example', undefined, 'https://127.0.0.1.example'],
  ['localhost.example', undefined, 'https://localhost.example'],
  ['[::2]', undefined, 'https://[::2]'],
])('%s, plain %s: %s', (registry, plainHttp, origin) => {
  expect(endpointOf(registry, plainHttp).origin).toBe(origin);
  if (plainHttp === undefined) expect(isLoopback(registry)).toBe(origin.startsWith('http:'));
});

test.each([
  ['</v2/a/tags/list?last=b&n=1>; rel="next"', '/v2/a/tags/list?last=b&n=1'],
  ['</x>; rel=next', '/x'],
  ['</p>; rel="prev", </n>; title="a"; rel="next"', '/n'],
  ['</p>; rel="prev"', undefined],
  ['</p>; rel="nextish"', undefined],
  ['', undefined],
  [undefined, undefined],
])('the next page of %s', (link, expected) => {
  expect(nextPage(link)).toBe(expected);
});
