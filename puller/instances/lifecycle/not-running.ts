// SPDX-License-Identifier: Apache-2.0
import { PullerError } from '../../errors.ts';
import type { InstanceView } from './view.ts';

export function notRunning({ name }: Pick<InstanceView, 'name'>): PullerError {
  return new PullerError('INSTANCE_NOT_RUNNING', `instance ${name} does not run`, {
    hint: `uk inspect ${name} says why`,
  });
}
