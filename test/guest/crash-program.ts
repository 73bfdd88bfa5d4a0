// SPDX-License-Identifier: Apache-2.0
// The program that does to its guest what its argument names (programs/crash.c), once it is told to.
import { constants } from 'node:os';
import { expect } from 'vitest';
import { type Instance, type InstanceOptions, PullerError, startInstance } from '../../puller/index.ts';
import { Collector, type GuestImage } from './guest.ts';

/** Starts it, waits until it is ready, and tells it. */
export async function crash(
  image: GuestImage,
  how: string,
  options: Partial<InstanceOptions> = {},
): Promise<{ instance: Instance; stdout: Collector }> {
  const stdout = new Collector();
  const instance = await startInstance(image.bootable, {
    entrypoint: ['/programs/crash'],
    args: [how],
    stdout,
    stderr: new Collector(),
    ...options,
  });
  await stdout.seen('ready');
  instance.signal(constants.signals.SIGUSR1);
  return { instance, stdout };
}

export async function failureOf(promise: Promise<unknown>): Promise<PullerError> {
  const error = await promise.then(
    () => expect.unreachable('it did not fail'),
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(PullerError);
  return error as PullerError;
}
