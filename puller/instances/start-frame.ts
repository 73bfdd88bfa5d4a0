// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { LABEL } from '../../image-format/annotations.ts';
import type { Bootable } from '../assemble/bootable.ts';
import { encodeStart } from '../guest-contract/start.ts';
import { GUEST_NETWORK } from '../vmm/monitor.ts';
import type { Execution } from './execution.ts';
import type { InstanceOptions } from './instance-options.ts';
import type { Storage } from './storage.ts';

/** An image may say that nothing is to be done in its guests. */
export function isAgentOff({ config }: Pick<Bootable, 'config'>): boolean {
  return config.Labels?.[LABEL.agent] === 'off';
}

/** @throws PullerError `IMAGE_UNSUPPORTED` */
export function startFrame(
  id: string,
  { args, env, cwd, user }: Execution,
  storage: Storage,
  options: InstanceOptions,
  agent: boolean | undefined,
): Buffer {
  const { hostname = id, stdin = 'empty', terminal } = options;
  return encodeStart({
    args,
    env,
    cwd,
    user: user === '' ? undefined : user,
    hostname,
    network: GUEST_NETWORK,
    time: BigInt(Date.now()) * 1_000_000n,
    seed: randomBytes(32),
    stdin: stdin === 'empty' ? 'empty' : 'open',
    ...{ terminal, agent },
    ...storage.start,
  });
}
