// SPDX-License-Identifier: Apache-2.0
// How instances are shown to people, as they know it from container engines.
import type { InstanceView } from '../../../index.ts';
import type { PortForward } from '../../options/values.ts';

const COMMAND_WIDTH = 24;

/** `5 seconds`, `2 minutes`, `3 hours`, `4 days` */
export function sinceWords(time: string | undefined, now = Date.now()): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(time ?? '')) / 1_000));
  if (Number.isNaN(seconds)) return 'unknown time';
  const steps = [
    [86_400, 'day'],
    [3_600, 'hour'],
    [60, 'minute'],
    [1, 'second'],
  ] as const;
  for (const [length, unit] of steps) {
    const count = Math.floor(seconds / length);
    if (count > 0) return `${count} ${unit}${count === 1 ? '' : 's'}`;
  }
  return 'less than a second';
}

/** `Up 5 seconds (healthy)`, `Exited (0) 2 minutes ago` */
export function statusWords(view: InstanceView, now = Date.now()): string {
  const { status, startedAt, finishedAt, end, health } = view;
  switch (status) {
    case 'created':
      return 'Created';
    case 'starting':
      return 'Starting';
    case 'running': {
      const shown =
        health === undefined ? '' : ` (${health.status === 'starting' ? 'health: starting' : health.status})`;
      return `Up ${sinceWords(startedAt, now)}${shown}`;
    }
    case 'stopping':
      return 'Stopping';
    case 'restarting':
      return `Restarting (${end?.status ?? 0}) ${sinceWords(finishedAt, now)} ago`;
    case 'removing':
      return 'Removal in progress';
    case 'exited': {
      const lost = end?.reason?.code === 'SUPERVISOR_LOST';
      return lost ? `Lost (${end?.status})` : `Exited (${end?.status ?? 0}) ${sinceWords(finishedAt, now)} ago`;
    }
  }
}

/** The program and its arguments; in JSON, so that no control character reaches the terminal. */
export function commandOf({ config }: InstanceView, short: boolean): string {
  const { entrypoint = [], args = [] } = config.execution;
  const text = [...entrypoint, ...args].join(' ');
  if (text === '') return '-';
  return JSON.stringify(short && text.length > COMMAND_WIDTH ? `${text.slice(0, COMMAND_WIDTH - 1)}…` : text);
}

export function portsOf({ status, forwards }: InstanceView): string {
  return status === 'running' ? forwards.map((forward) => `${hostOf(forward)}->${guestOf(forward)}`).join(', ') : '';
}

export function portLines(forwards: readonly PortForward[], withGuest: boolean): string[] {
  return forwards.map((forward) => (withGuest ? `${guestOf(forward)} -> ` : '') + hostOf(forward));
}

function hostOf({ address, host }: PortForward): string {
  return `${address.includes(':') ? `[${address}]` : address}:${host}`;
}

function guestOf({ guest, protocol }: PortForward): string {
  return `${guest}/${protocol}`;
}
