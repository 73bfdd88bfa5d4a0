// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { RegistryError } from '../../errors.ts';
import { failureOf, storageError } from './failures.ts';

/** As the SDK throws it. */
const answered = (status: number, name: string, more: object = {}) =>
  Object.assign(new Error('UnknownError'), { name, $metadata: { httpStatusCode: status }, ...more });
const broken = (code: string) => Object.assign(new Error(`it broke (${code})`), { code });

describe('a failure', () => {
  const cases: [string, unknown, string, boolean][] = [
    ['no such object', answered(404, 'NoSuchKey'), 'absent', false],
    ['HEAD of what is not there', answered(404, 'NotFound'), 'absent', false],
    ['no such upload', answered(404, 'NoSuchUpload'), 'absent', false],
    ['no such bucket', answered(404, 'NoSuchBucket'), 'refused', false],
    ['a condition', answered(412, 'PreconditionFailed'), 'condition', false],
    ['unchanged', answered(304, 'Unknown'), 'unchanged', false],
    ['a conflict', answered(409, 'ConcurrentModification'), 'passing', false],
    ['slower', answered(503, 'SlowDown'), 'passing', false],
    ['too many', answered(429, 'TooManyRequests'), 'passing', false],
    ['an internal error', answered(500, 'InternalError'), 'passing', true],
    ['a gateway', answered(504, 'Unknown'), 'passing', true],
    ['not implemented', answered(501, 'NotImplemented'), 'refused', false],
    ['damaged on the way', answered(400, 'XAmzContentSHA256Mismatch'), 'passing', false],
    ['a wrong secret', answered(403, 'SignatureDoesNotMatch'), 'refused', false],
    ['a clock that is wrong', answered(403, 'RequestTimeTooSkewed'), 'passing', false],
    ['a quota', answered(403, 'QuotaExceeded'), 'full', false],
    ['no room', answered(507, 'Unknown'), 'full', false],
    ['nobody there', broken('ECONNREFUSED'), 'passing', false],
    ['an unknown name', broken('ENOTFOUND'), 'passing', false],
    ['a cut connection', broken('ECONNRESET'), 'passing', true],
    ['an answer that does not read', new SyntaxError('not XML'), 'passing', true],
  ];
  for (const [name, error, kind, uncertain] of cases) {
    test(`${name}: ${kind}${uncertain ? ', and perhaps done' : ''}`, () => {
      expect(failureOf(error, undefined)).toMatchObject({ kind, uncertain });
    });
  }

  test('by time: worth another try, and perhaps done', () => {
    const failure = failureOf(new Error('aborted'), 500);
    expect(failure).toMatchObject({ kind: 'passing', uncertain: true, message: 'no answer within 500 ms' });
  });

  test('becomes an error that says why and what to do, and holds nothing of the request', () => {
    const request = { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=…' } };
    const thrown = storageError('read k', failureOf(answered(403, 'SignatureDoesNotMatch', { request }), undefined));
    expect(thrown).toBeInstanceOf(RegistryError);
    expect(thrown).toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: 'cannot read k: SignatureDoesNotMatch (status 403)',
      hint: expect.stringMatching(/secret key is wrong/),
    });
    expect(JSON.stringify([thrown, (thrown as Error).cause])).not.toContain('authorization');
  });

  test('that already is ours passes', () => {
    const ours = new RegistryError('DATA_UNKNOWN', 'gone');
    expect(storageError('read k', ours)).toBe(ours);
  });
});
