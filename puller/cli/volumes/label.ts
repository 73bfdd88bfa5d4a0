// SPDX-License-Identifier: Apache-2.0
import { InvalidArgumentError } from 'commander';

/** `KEY=VALUE`, or `KEY` with an empty value. */
export function collectLabel(text: string, previous: readonly [string, string][] = []): [string, string][] {
  const [key = ''] = text.split('=', 1);
  if (key === '') throw new InvalidArgumentError('write KEY=VALUE, or KEY alone');
  return [...previous, [key, text.slice(key.length + 1)]];
}
