// SPDX-License-Identifier: Apache-2.0
// What an instance fails with, in the words of whoever has to do something about it.
import { getSystemErrorMessage } from 'node:util';
import { PullerError } from '../errors.ts';
import { CONTRACT_VERSIONS } from '../guest-contract/control-channel.ts';

/**
 * What an image does not say beforehand, its guest says in HELLO.
 *
 * @param needed the first version that can do what is asked for
 * @throws PullerError `IMAGE_UNSUPPORTED`
 */
export function checkContract(version: unknown, needed = 1): void {
  if (version === undefined) return;
  if (!CONTRACT_VERSIONS.includes(Number(version))) {
    throw new PullerError(
      'IMAGE_UNSUPPORTED',
      `the image's guest speaks version ${version} of the contract, which this uk does not know`,
      { hint: 'a newer uk is needed' },
    );
  }
  if (Number(version) < needed) {
    throw new PullerError(
      'IMAGE_UNSUPPORTED',
      `the image's kernel is older than volumes and roots on disks: it speaks version ${version} of the contract`,
      { hint: 'build the image again, or give it a newer kernel' },
    );
  }
}

export function noTerminal(): PullerError {
  return new PullerError('IMAGE_UNSUPPORTED', "the image's kernel is older than terminals for programs", {
    hint: 'leave out -t, build the image again, or give it a newer kernel',
  });
}

export function crashed(what: string): PullerError {
  return new PullerError('GUEST_CRASHED', what, { hint: 'run it again with --console to see all of the kernel log' });
}

export function outputFailed(name: string, cause: NodeJS.ErrnoException): PullerError {
  const why = cause.errno === undefined ? cause.message : getSystemErrorMessage(cause.errno);
  return new PullerError('OUTPUT_FAILED', `cannot write ${name}: ${why}`, {
    cause,
    hint: 'the program was ended, for the rest of its output would be lost',
  });
}

export function bootTimeout(milliseconds: number): PullerError {
  return new PullerError('GUEST_TIMEOUT', `the guest did not come up within ${milliseconds / 1000} s`, {
    hint: 'run it again with --console to see how far it gets, or with --accel tcg',
  });
}
