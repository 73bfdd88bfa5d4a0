// SPDX-License-Identifier: Apache-2.0
import { type InstanceView, isActive } from './view.ts';

/**
 * Whether an instance that does not run is to be started after the machine was, or after its supervisor was killed. As
 * with container engines, `always` means also one that its user has stopped.
 */
export function isWantedByPolicy(view: InstanceView): boolean {
  if (isActive(view) || view.status !== 'exited') return false;
  switch (view.config.restart.name) {
    case 'always':
      return true;
    case 'unless-stopped':
      return !view.stopped;
    case 'on-failure':
      return !view.stopped && view.end?.status !== 0;
    case 'no':
      return false;
  }
}
