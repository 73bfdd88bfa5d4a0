// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { PullerError } from '../errors.ts';
import { CliError, explain } from './errors.ts';

test.each([
  [new CliError('USAGE', 'x'), 2],
  [new PullerError('GUEST_UNRESPONSIVE', 'x'), 124],
  [new PullerError('GUEST_CRASHED', 'x'), 1],
  [new DOMException('x', 'AbortError'), 130],
  [new Error('x'), 1],
])('%s: exit status %d', (error, status) => expect(explain(error).status).toBe(status));
