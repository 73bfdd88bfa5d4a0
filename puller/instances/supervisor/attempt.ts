// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import type { Bootable } from '../../assemble/bootable.ts';
import type { PullerError } from '../../errors.ts';
import { cacheFolder } from '../../store/folders.ts';
import type { AgentChannel } from '../agent/agent-channel.ts';
import type { NoAgent } from '../agent/failures.ts';
import { type Instance, startInstance } from '../instance.ts';
import type { InstanceEvent } from '../instance-options.ts';
import type { LogWriter } from '../logs/log-writer.ts';
import { resolveMounts } from '../mounts.ts';
import type { InstanceConfig } from '../state/config.ts';
import type { RunEnd } from '../state/run-state.ts';
import { Attachments } from './attachments.ts';
import { instanceOptions } from './instance-options.ts';
import { endOfError, endOfOutcome } from './reasons.ts';

export interface AttemptSubject {
  config: InstanceConfig;
  bootable: Bootable;
  /** Folder of the named volumes. */
  volumes: string;
  logs: { program: LogWriter; kernel: LogWriter };
}

export interface AttemptEvents {
  /** There is a machine; the program does not run yet. */
  onMachine(instance: Instance, uuid: string): void;
  /** The program runs. */
  onStarted(instance: Instance): void;
  onEvent(event: InstanceEvent): void;
  /** The guest's agent broke the contract, and is not listened to any more. */
  onBrokenAgent(error: PullerError): void;
}

const SIGKILL = 9;

/** So long a guest may take to unmount its file systems after its program was killed. */
const UNMOUNT_MS = 5_000;

/** One machine of an instance, from its start to its end. */
export class Attempt {
  readonly ended: Promise<RunEnd>;
  readonly #abort = new AbortController();
  readonly #events: AttemptEvents;
  #instance: Instance | undefined;
  #channel: Promise<AgentChannel> | undefined;
  /** Who is attached to the program. */
  readonly attachments: Attachments;
  /** Whether the program ran. */
  started = false;

  constructor(subject: AttemptSubject, events: AttemptEvents) {
    this.#events = events;
    this.attachments = new Attachments(
      { signal: (number) => this.signal(number), resize: (size) => this.#instance?.resize(size) },
      subject.config.openStdin ?? false,
    );
    this.ended = this.#run(subject, events).catch(endOfError);
    this.ended.then((end) => this.attachments.end(end));
  }

  /** The guest's agent, or why there is none. It is loaded when it is wanted: most instances never are asked. */
  async agent(): Promise<AgentChannel | NoAgent> {
    const found = this.started ? this.#instance?.agent() : undefined;
    if (found === undefined) return 'starting';
    if ('missing' in found) return found.missing;
    this.#channel ??= import('../agent/agent-channel.ts').then(
      ({ AgentChannel }) => new AgentChannel(found.port, (error) => this.#events.onBrokenAgent(error)),
    );
    return await this.#channel;
  }

  /** Sends the program a signal. Before there is a machine it ends the attempt. */
  signal(number: number): void {
    if (this.#instance === undefined) this.#abort.abort();
    else this.#instance.signal(number);
  }

  /** Which machine the monitor says that it runs; undefined where there is none. */
  async uuid(): Promise<string | undefined> {
    return await this.#instance?.machine.uuid();
  }

  /** Asks the program to end; kills it after the grace time; ends the machine where the guest does not end then. */
  async stop(signal: number, graceMs: number): Promise<void> {
    if (signal !== SIGKILL) {
      this.signal(signal);
      if (await this.#endsWithin(graceMs)) return;
    }
    // Killed in the guest, which then unmounts its file systems.
    this.signal(SIGKILL);
    if (await this.#endsWithin(UNMOUNT_MS)) return;
    this.#instance?.kill();
    await this.ended;
  }

  async #endsWithin(ms: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(resolve, ms, false);
    this.ended.then(() => resolve(true));
    return await promise.finally(() => clearTimeout(timer));
  }

  async #run({ config, bootable, volumes, logs }: AttemptSubject, events: AttemptEvents): Promise<RunEnd> {
    const { signal } = this.#abort;
    const mounts = await resolveMounts(config.volumes, volumes, signal);
    const scratch = config.scratch === undefined ? undefined : await scratchDisk(config.scratch, signal);
    const sinks = {
      stdout: this.attachments.tee(logs.program.sink('stdout'), 'stdout'),
      stderr: this.attachments.tee(logs.program.sink('stderr'), 'stderr'),
      kernelLog: logs.kernel.sink('kernel'),
    };
    try {
      const uuid = randomUUID();
      const options = instanceOptions(config, {
        ...{ uuid, mounts, scratch: scratch?.file, signal, stdin: this.attachments.input, ...sinks },
        onEvent: (event) => {
          if (event.type === 'started' && this.#instance !== undefined) this.#hasStarted(this.#instance, events);
          events.onEvent(event);
        },
      });
      const instance = await startInstance(bootable, options);
      this.#instance = instance;
      events.onMachine(instance, uuid);
      return endOfOutcome(await instance.outcome);
    } finally {
      for (const sink of Object.values(sinks)) await finish(sink);
      await scratch?.close();
    }
  }

  #hasStarted(instance: Instance, events: AttemptEvents): void {
    this.started = true;
    events.onStarted(instance);
  }
}

async function scratchDisk(size: number, signal: AbortSignal) {
  const { makeScratchDisk } = await import('../../volumes/scratch-disk.ts');
  return await makeScratchDisk(cacheFolder(), size, signal);
}

function finish(sink: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => sink.end(resolve));
}
