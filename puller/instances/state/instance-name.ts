// SPDX-License-Identifier: Apache-2.0
import { randomInt } from 'node:crypto';
import { PullerError } from '../../errors.ts';

const FORM = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}$/;

export const INSTANCE_NAME_FORM = '2 to 128 letters, digits, "_", "." and "-", a letter or a digit first';

/** @throws PullerError `NAME_INVALID` */
export function checkInstanceName(name: string): void {
  if (FORM.test(name)) return;
  throw new PullerError('NAME_INVALID', `not a name for an instance: ${JSON.stringify(name)}`, {
    hint: INSTANCE_NAME_FORM,
  });
}

const QUALITIES =
  'able brave bright calm clever cool eager fair fast fond glad keen kind lively loyal merry mild neat nimble proud quick quiet sharp sunny swift tidy warm wise witty young';

/** Who made what this stands on. */
const PEOPLE =
  'allen babbage backus boole church dijkstra engelbart floyd goldberg goldstine hamilton hoare hopper iverson kay kernighan knuth lamport liskov lovelace mccarthy milner minsky naur neumann perlis ritchie shannon sutherland tarjan thompson turing wilkes wirth zuse';

/** A name such as `brave_hopper`. */
export function randomName(): string {
  return `${oneOf(QUALITIES)}_${oneOf(PEOPLE)}`;
}

function oneOf(words: string): string {
  const list = words.split(' ');
  return list[randomInt(list.length)] ?? '';
}
