// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';

const HIGHEST = 64;

/** `SIGQUIT`, `QUIT`, `SIGRTMIN+3` or `3`, as an image's config or a command line has it; undefined for no signal. */
export function signalNumber(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^[0-9]+$/.test(text)) return isSignal(Number(text)) ? Number(text) : undefined;
  const name = text.toUpperCase().replace(/^(?:SIG)?/, 'SIG');
  const [, from, distance] = /^SIGRT(MIN\+|MAX-)([0-9]{1,2})$/.exec(name) ?? [];
  if (from === undefined) return (constants.signals as Record<string, number>)[name];
  // Of the C library's real-time signals, the first is 34 (signal(7)).
  const number = from === 'MIN+' ? 34 + Number(distance) : HIGHEST - Number(distance);
  return isSignal(number) ? number : undefined;
}

function isSignal(number: number): boolean {
  return number >= 1 && number <= HIGHEST;
}
