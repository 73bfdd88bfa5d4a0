// SPDX-License-Identifier: Apache-2.0
// What a supervisor does with the agent of its guest. The parts that need it are loaded when it is asked for the first time.
import type { Bootable } from '../../assemble/bootable.ts';
import { noAgent } from '../agent/failures.ts';
import type { Begun } from '../control/server.ts';
import { executionOf } from '../execution.ts';
import { isAgentOff } from '../start-frame.ts';
import type { HealthCheck, InstanceConfig } from '../state/config.ts';
import type { Attempt } from './attempt.ts';
import type { Probe } from './health-watch.ts';
import { imageHealth } from './image-health.ts';

interface Subject {
  config: InstanceConfig;
  bootable: Bootable;
}

/**
 * Gives a connection to a session of the agent.
 *
 * @param name of the instance
 * @throws PullerError `AGENT_MISSING`, `INSTANCE_NOT_RUNNING`
 */
export async function beginSession(attempt: Attempt, { config, bootable }: Subject, name: string): Promise<Begun> {
  const agent = await attempt.agent();
  if (typeof agent === 'string') throw noAgent(agent, name);
  const [{ relaySession }, { completeOpen }] = await Promise.all([
    import('../agent/relay.ts'),
    import('../agent/complete-open.ts'),
  ]);
  const program = executionOf(bootable.config, config.execution);
  return {
    answer: { ok: true },
    converse: (socket) => relaySession(socket, agent, (records) => completeOpen(records, program)),
  };
}

/** The health check that was asked for, else the one that the image brings and its guest can do. */
export function checkOf({ config, bootable }: Subject): HealthCheck | undefined {
  if (config.health !== undefined || config.noHealthcheck) return config.health;
  const hasAgent = config.agent !== false && !isAgentOff(bootable) && bootable.kernelJson.agent !== undefined;
  return hasAgent ? imageHealth(bootable.config) : undefined;
}

/** A look from inside, by a command. A guest that cannot run it is not well. */
export function commandProbe(
  attempt: Attempt,
  { probe, timeoutMs }: HealthCheck,
  { config, bootable }: Subject,
  name: string,
): Probe {
  const args = probe.kind === 'command' ? probe.args : [];
  const records = [['kind', 'exec'] as const, ...args.map((argument) => ['arg', argument] as const)];
  return async () => {
    const agent = await attempt.agent();
    if (typeof agent === 'string') return noAgent(agent, name).message;
    const [{ probeCommand }, { completeOpen }] = await Promise.all([
      import('../agent/probe-command.ts'),
      import('../agent/complete-open.ts'),
    ]);
    return await probeCommand(agent, completeOpen(records, executionOf(bootable.config, config.execution)), timeoutMs);
  };
}
