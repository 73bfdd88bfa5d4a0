// SPDX-License-Identifier: Apache-2.0
// Why nothing can be asked of a guest's agent.
import { PullerError } from '../../errors.ts';
import { SESSIONS_MAX } from '../../guest-contract/agent-frames.ts';

/** Why a guest has no agent that could be asked. */
export type NoAgent = 'option' | 'image' | 'kernel' | 'starting';

/** @param name of the instance */
export function noAgent(why: NoAgent, name: string): PullerError {
  switch (why) {
    case 'option':
      return new PullerError('AGENT_MISSING', `${name} has no agent: it was made with --no-agent`);
    case 'image':
      return new PullerError('AGENT_MISSING', `${name} has no agent: its image turns it off`, {
        hint: 'by the label vnd.uk.agent=off',
      });
    case 'kernel':
      return new PullerError('AGENT_MISSING', `${name} has no agent: its kernel is older than the agent`, {
        hint: 'build the image again, or give it a newer kernel',
      });
    case 'starting':
      return new PullerError('INSTANCE_NOT_RUNNING', `the program of ${name} does not run now`, {
        hint: `uk inspect ${name} says more`,
      });
  }
}

export function gone(): PullerError {
  return new PullerError('INSTANCE_NOT_RUNNING', 'the instance has ended');
}

export function busy(): PullerError {
  return new PullerError('AGENT_BUSY', `the guest does ${SESSIONS_MAX} things at a time already`, {
    hint: 'wait until one of them has ended',
  });
}

export function silent(why: string): PullerError {
  return new PullerError('AGENT_SILENT', `the guest's agent does not answer: ${why}`, {
    hint: 'the program in the guest goes on; uk stop ends it',
  });
}
