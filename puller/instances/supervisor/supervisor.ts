// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';
import type { Bootable } from '../../assemble/bootable.ts';
import { noAgent } from '../agent/failures.ts';
import type { Answer, Conversation, Request } from '../control/protocol.ts';
import type { Begun } from '../control/server.ts';
import type { EventAction } from '../events/event-log.ts';
import { recordEvent } from '../events/event-log.ts';
import type { Instance } from '../instance.ts';
import type { InstanceEvent } from '../instance-options.ts';
import { LogWriter } from '../logs/log-writer.ts';
import { signalNumber } from '../signals/names.ts';
import type { Claim } from '../state/claims.ts';
import type { InstanceConfig } from '../state/config.ts';
import { sweepUnfinished } from '../state/durable-json.ts';
import type { InstanceFolder } from '../state/instance-folder.ts';
import { identityOf, ownIdentity } from '../state/process-identity.ts';
import type { Reason, RunEnd, RunState } from '../state/run-state.ts';
import { Attempt } from './attempt.ts';
import { networkProbe, reachedAt, watchHealth } from './health-watch.ts';
import { beginSession, checkOf, commandProbe } from './inside.ts';
import { checkedPort, leadsTo } from './instance-options.ts';
import { endOfError } from './reasons.ts';
import { isRestarted, restartDelay, STEADY_MS } from './restart-policy.ts';

export interface SupervisorSubject {
  /** Folder of all instances. */
  instances: string;
  folder: InstanceFolder;
  config: InstanceConfig;
  bootable: Bootable;
  /** Folder of the named volumes. */
  volumes: string;
  /** This process's claim on the instance. */
  claim: Claim;
  /** Told how the first start went: undefined where the program runs. What it is told later does not count. */
  onFirst(failure: { reason: Reason; end: RunEnd } | undefined): void;
}

const { SIGKILL, SIGTERM } = constants.signals;

/** The longest that Node's timers can wait. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** Runs one instance from `uk start` to its end: starts its program, again where its policy says so, and obeys. */
export class Supervisor {
  readonly #subject: SupervisorSubject;
  readonly #logs: { program: LogWriter; kernel: LogWriter };
  readonly #ended = Promise.withResolvers<RunEnd>();
  readonly #stopSignal: number;
  #state: RunState;
  #writing: Promise<void> = Promise.resolve();
  #attempt: Attempt | undefined;
  /** What is to happen when the program has ended. */
  #wish: 'policy' | 'end' | 'restart' = 'policy';
  #restarted = Promise.withResolvers<RunEnd | undefined>();
  /** Ends a pause before a restart. */
  #wake: () => void = () => {};
  #health = new AbortController();
  #name = '';

  constructor(subject: SupervisorSubject) {
    this.#subject = subject;
    const { folder, config, bootable, claim } = subject;
    const logs = folder.file('logs');
    this.#logs = { program: new LogWriter(logs, 'program'), kernel: new LogWriter(logs, 'kernel') };
    this.#stopSignal = config.stopSignal ?? signalNumber(bootable.config.StopSignal) ?? SIGTERM;
    this.#state = {
      ...{ version: 1, run: claim.number, phase: 'starting', supervisor: ownIdentity() },
      ...{ restarts: 0, stopped: false, forwards: config.forwards, outOfMemory: false },
    };
  }

  /** How the instance ended, once its records say so. */
  get ended(): Promise<RunEnd> {
    return this.#ended.promise;
  }

  async run(): Promise<RunEnd> {
    const { config, folder } = this.#subject;
    this.#name = await folder.name();
    await sweepUnfinished(folder.path);
    await this.#save({});
    const end = await this.#keepRunning(config);
    await this.#save({ phase: 'exited', monitor: undefined, health: undefined });
    await this.#logs.program.close();
    await this.#logs.kernel.close();
    return end;
  }

  /** The instance has ended, and others may use it. */
  finish(end: RunEnd): void {
    this.#ended.resolve(end);
    this.#restarted.resolve(end);
  }

  /** @param byUser whether it was asked for, or comes with the end of the machine */
  async stop(graceMs: number, byUser: boolean, signal = this.#stopSignal): Promise<void> {
    this.#wish = 'end';
    const phase = this.#state.phase === 'exited' ? 'exited' : 'stopping';
    const saved = this.#save({ phase, stopped: byUser || this.#state.stopped });
    this.#wake();
    await this.#attempt?.stop(signal, graceMs);
    await saved;
  }

  async answer(request: Exclude<Request, Conversation>): Promise<Answer> {
    switch (request.verb) {
      case 'identify':
        return { ok: true, uuid: await this.#attempt?.uuid().catch(() => undefined) };
      case 'signal':
        return await this.#signal(request.number);
      case 'stop':
        await this.#event('stop');
        await this.stop(request.graceMs ?? this.#subject.config.stopTimeoutMs, true);
        return { ok: true, status: (await this.ended).status };
      case 'restart':
        return await this.#restart(request.graceMs ?? this.#subject.config.stopTimeoutMs);
      case 'wait':
        return { ok: true, status: (await this.ended).status };
    }
  }

  /** Begins what a connection stays open for. @throws PullerError `AGENT_MISSING`, `INSTANCE_NOT_RUNNING` */
  async begin(request: Conversation): Promise<Begun> {
    const attempt = this.#attempt;
    if (!attempt?.started) throw noAgent('starting', this.#name);
    if (request.verb === 'attach') {
      const { terminal = false, openStdin = false } = this.#subject.config;
      return {
        answer: { ok: true, terminal, takesInput: openStdin },
        converse: (socket) => attempt.attachments.add(socket),
      };
    }
    return await beginSession(attempt, this.#subject, this.#name);
  }

  async #signal(number: number): Promise<Answer> {
    await this.#event('kill', { signal: String(number) });
    if (number === SIGKILL) {
      await this.stop(0, true, SIGKILL);
      await this.ended;
    } else {
      if (number === this.#stopSignal) {
        this.#wish = 'end';
        await this.#save({ stopped: true });
      }
      this.#attempt?.signal(number);
    }
    return { ok: true };
  }

  async #restart(graceMs: number): Promise<Answer> {
    if (this.#wish === 'end') await this.ended;
    this.#wish = 'restart';
    this.#restarted = Promise.withResolvers();
    const { promise } = this.#restarted;
    this.#wake();
    await this.#attempt?.stop(this.#stopSignal, graceMs);
    const failure = await promise;
    if (failure === undefined) return { ok: true };
    const reason = failure.reason ?? { code: 'INSTANCE_NOT_RUNNING', message: 'the instance was stopped meanwhile' };
    return { ok: false, reason };
  }

  async #keepRunning(config: InstanceConfig): Promise<RunEnd> {
    let [end, quick] = [stoppedBefore(), 0];
    const ttl = config.ttlMs === undefined ? undefined : this.#liveFor(config.ttlMs);
    try {
      // What is asked for may change whenever something is waited for.
      for (let first = true; !this.#isToEnd(); first = false) {
        const begin = performance.now();
        const run = await this.#runOnce();
        end = run.end;
        if (this.#wish === 'policy') {
          if (!run.started) this.#restarted.resolve(end);
          if (first && !run.started) break;
          if (!isRestarted(config.restart, end, this.#state.restarts)) break;
          quick = performance.now() - begin < STEADY_MS ? quick + 1 : 0;
          await this.#save({ phase: 'restarting', restarts: this.#state.restarts + 1 });
          await this.#pause(restartDelay(quick - 1));
        }
        if (this.#isToEnd()) break;
        this.#wish = 'policy';
        await this.#event('restart');
        await this.#save({ phase: 'starting' });
      }
      this.#subject.onFirst({ reason: end.reason ?? notStarted(end), end });
      return end;
    } finally {
      clearTimeout(ttl);
    }
  }

  #isToEnd(): boolean {
    return this.#wish === 'end';
  }

  async #runOnce(): Promise<{ end: RunEnd; started: boolean }> {
    const { config, bootable, volumes } = this.#subject;
    const logs = this.#logs;
    let starting: Promise<void> | undefined;
    const attempt = new Attempt(
      { config, bootable, volumes, logs },
      {
        onMachine: (instance, uuid) => {
          void this.#save({ monitor: identityOf(instance.machine.pid), uuid });
        },
        onStarted: (instance) => {
          starting = this.#started(instance);
        },
        onEvent: (event) => this.#noted(event),
        onBrokenAgent: ({ message }) => void this.#logs.kernel.note(`uk: ${message}; it is not asked any more`),
      },
    );
    this.#attempt = attempt;
    const end = await attempt.ended;
    // A program may end before all is written down that its start has to say.
    await starting;
    this.#attempt = undefined;
    this.#health.abort();
    const finishedAt = new Date().toISOString();
    await this.#save({ monitor: undefined, uuid: undefined, health: undefined, finishedAt, end });
    const reason = end.reason === undefined ? {} : { reason: end.reason.message };
    await this.#event('die', { exitCode: String(end.status), ...reason });
    return { end, started: attempt.started };
  }

  async #started(instance: Instance): Promise<void> {
    const { config } = this.#subject;
    const running = this.#wish === 'policy' ? { phase: 'running' as const } : {};
    const check = checkOf(this.#subject);
    const health = check && { status: 'starting' as const, failures: 0, detail: '' };
    // A machine that has ended already says so elsewhere.
    const all = await instance.forwards().catch(() => undefined);
    const forwards = all?.slice(0, config.forwards.length) ?? config.forwards;
    await this.#save({ ...running, startedAt: new Date().toISOString(), finishedAt: undefined, forwards, health });
    await this.#event('start');
    this.#subject.onFirst(undefined);
    this.#restarted.resolve(undefined);
    if (check === undefined || this.#attempt === undefined) return;
    const way = all?.find((forward) => leadsTo(forward, checkedPort(check)));
    const look =
      check.probe.kind === 'command'
        ? commandProbe(this.#attempt, check, this.#subject, this.#name)
        : way && networkProbe(check, reachedAt(way));
    if (look === undefined) return;
    this.#health = new AbortController();
    void watchHealth(check, look, (found) => this.#healthIs(found), this.#health.signal);
  }

  #healthIs(health: NonNullable<RunState['health']>): void {
    const before = this.#state.health;
    if (before?.status !== health.status) {
      void this.#event('health_status', { health: health.status, detail: health.detail });
    } else if (before.failures === health.failures && before.detail === health.detail) return;
    void this.#save({ health });
  }

  #noted(event: InstanceEvent): void {
    switch (event.type) {
      case 'machine':
        void this.#save({ accelerator: event.choice.accelerator.kind });
        return;
      case 'out-of-memory':
        void this.#save({ outOfMemory: true });
        void this.#event('oom');
        return;
      case 'revived':
        void this.#logs.kernel.note(event.text);
        return;
    }
  }

  #liveFor(ttlMs: number): NodeJS.Timeout {
    return setTimeout(() => void this.stop(this.#subject.config.stopTimeoutMs, true), Math.min(ttlMs, TIMER_MAX_MS));
  }

  async #pause(ms: number): Promise<void> {
    if (this.#wish !== 'policy') return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Writes the state, one write after the other. A disk that takes no more does not end the program. */
  #save(changes: Partial<RunState>): Promise<void> {
    this.#state = { ...this.#state, ...changes };
    const state = this.#state;
    this.#writing = this.#writing
      .then(() => this.#subject.folder.writeState(state))
      .catch((error: Error) => console.error(`${new Date().toISOString()} cannot write the state: ${error.message}`));
    return this.#writing;
  }

  async #event(action: EventAction, attributes: Record<string, string> = {}): Promise<void> {
    const { instances, folder, config } = this.#subject;
    this.#name = (await folder.name()) || this.#name;
    await recordEvent(instances, folder, action, { image: config.image.name, ...attributes }, this.#name);
  }
}

function stoppedBefore(): RunEnd {
  return endOfError(new DOMException('', 'AbortError'));
}

function notStarted({ status, signal }: RunEnd): Reason {
  const how = signal === undefined ? `status ${status}` : `signal ${signal}`;
  return { code: 'GUEST_CRASHED', message: `the guest ended before its program ran: ${how}` };
}
