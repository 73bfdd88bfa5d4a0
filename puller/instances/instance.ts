// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Bootable } from '../assemble/bootable.ts';
import { PullerError } from '../errors.ts';
import {
  ControlChannel,
  type Exit,
  exitStatus,
  type Failure,
  type Hello,
  type ProgramEnd,
} from '../guest-contract/control-channel.ts';
import { contractNeeded, type TerminalSize } from '../guest-contract/start.ts';
import { acceleratorWish, type Choice, chooseAccelerator } from '../vmm/accelerator/choose.ts';
import { checkForwards } from '../vmm/forwards.ts';
import { checkHugePages } from '../vmm/huge-pages.ts';
import type { Machine, MachineExit, MachineSpec, PortForward } from '../vmm/monitor.ts';
import { monitorFor } from '../vmm/monitors.ts';
import { RelayedForwards } from '../vmm/relayed-forwards.ts';
import type { NoAgent } from './agent/failures.ts';
import { howItEnded } from './crash.ts';
import { executionOf } from './execution.ts';
import { bootTimeout, checkContract, crashed, noTerminal, outputFailed } from './failures.ts';
import { reportHang } from './hang-report.ts';
import type { InstanceOptions } from './instance-options.ts';
import {
  backingOf,
  chooseMemory,
  memoryNeed,
  OUT_OF_MEMORY,
  prefaultMs,
  tooSmall,
  UNPACKING_FAILURE,
} from './memory.ts';
import { endsMachine } from './signals/effects.ts';
import { isAgentOff, startFrame } from './start-frame.ts';
import { storageOf } from './storage.ts';
import { InputCopy, LogTail, OutputCopy } from './streams.ts';
import { Watchdog } from './watchdog.ts';

export interface Outcome {
  /** 0 to 255; 128 and the number of a signal. */
  status: number;
  end: ProgramEnd;
  /** Why the program could not be started, where it could not. */
  failure: Failure | undefined;
  /** What the guest said of itself; undefined where it was killed before it could. */
  hello: Hello | undefined;
  choice: Choice;
  /** The end of the kernel's log. */
  kernelLog: string;
}

/** A machine with one program in it. */
export interface Instance {
  /** 12 hexadecimal digits. */
  readonly id: string;
  readonly machine: Machine;
  /** The forwards with the ports that were chosen by the system. */
  forwards(): Promise<PortForward[]>;
  /**
   * Sends the program a signal, by its number. Before the guest is up it ends the machine, unless a program without a
   * handler would outlive it (SIGWINCH); after the program's end only what asks for an end does (SIGINT, SIGTERM).
   */
  signal(number: number): void;
  /** The size of the program's terminal, where it has one. */
  resize(size: TerminalSize): void;
  /** The port of the guest's agent, or why there is none to ask. */
  agent(): { port: Duplex } | { missing: NoAgent };
  /** Ends the machine at once; the outcome is that of SIGKILL. */
  kill(): void;
  /**
   * How it ended.
   *
   * @throws PullerError `OUTPUT_FAILED`, `GUEST_CRASHED`, `GUEST_UNRESPONSIVE`, `GUEST_TIMEOUT`, `GUEST_PROTOCOL`,
   *   `MONITOR_FAILED`, `PORT_IN_USE`, …
   */
  readonly outcome: Promise<Outcome>;
}

const BOOT_TIMEOUT_MS = 60_000;
const WATCHDOG_MS = 60_000;
/** A report of a hang is longer than the end of a log. */
const LOG_LINES = 40;
const REPORT_LINES = 120;
const SIGKILL = 9;

/**
 * Boots an image. Returns as soon as the monitor runs.
 *
 * @throws PullerError `IMAGE_UNSUPPORTED`, `MEMORY_TOO_SMALL`, `MONITOR_MISSING`, `OPTION_UNSUPPORTED`, `PORT_IN_USE`,
 *   `PORT_UNAVAILABLE`; the signal's reason
 */
export async function startInstance(bootable: Bootable, options: InstanceOptions): Promise<Instance> {
  const begin = performance.now();
  const { profile } = bootable;
  const { monitor, file } = monitorFor(profile);
  const storage = storageOf(bootable, options, monitor.shareKind);
  checkContract(bootable.kernelJson.guestContract, contractNeeded(storage.start));
  const execution = executionOf(bootable.config, options);
  const forwards = options.forwards ?? [];
  const memory = chooseMemory(options.memory, bootable);
  const backing = backingOf(profile, options);
  if (backing.hugePages !== undefined) await checkHugePages(backing.hugePages, memory);
  await checkForwards(forwards);
  const choice = await chooseAccelerator(
    monitor,
    file,
    { machine: profile.machine, kernel: bootable.kernel },
    acceleratorWish(options.accelerator),
    () => options.onEvent?.({ type: 'probing' }),
    options.signal,
  );
  options.signal?.throwIfAborted();
  const relayed = await RelayedForwards.open(forwards);
  const spec: MachineSpec = {
    machine: profile.machine,
    uuid: options.uuid,
    kernel: bootable.kernel,
    hz: bootable.hz,
    initrd: storage.initrd,
    disks: storage.disks,
    shares: storage.shares,
    memory,
    backing,
    cpus: options.cpus ?? profile.defaults.cpus,
    accelerator: choice.accelerator,
    forwards: relayed.monitored,
    agent: options.agent && !isAgentOff(bootable),
    verbose: options.console !== undefined,
  };
  const id = randomBytes(6).toString('hex');
  let machine: Machine | undefined;
  try {
    const start = startFrame(id, execution, storage, options, spec.agent);
    machine = await monitor.start(spec);
    relayed.serve(machine);
    machine.exited.then(() => relayed.close());
    options.signal?.throwIfAborted();
    options.onEvent?.({ type: 'machine', pid: machine.pid, choice, ms: performance.now() - begin });
    const explain = (exit: MachineExit): Error => monitor.explainExit(spec, exit);
    const unpackingFailure = tooSmall(memory, memoryNeed(bootable.root));
    const bootTimeoutMs = options.bootTimeoutMs ?? BOOT_TIMEOUT_MS + prefaultMs(backing, memory);
    const agentOff: NoAgent | undefined = isAgentOff(bootable) ? 'image' : options.agent ? undefined : 'option';
    const circumstances = { id, agentOff, begin, choice, explain, relayed, unpackingFailure, bootTimeoutMs };
    return new RunningInstance(machine, start, options, circumstances);
  } catch (error) {
    // Nobody would have it to end it.
    relayed.close();
    machine?.kill();
    await machine?.exited;
    throw error;
  }
}

interface Circumstances {
  id: string;
  /** Why the guest's agent is not to be used. */
  agentOff: NoAgent | undefined;
  begin: number;
  choice: Choice;
  explain(exit: MachineExit): Error;
  relayed: RelayedForwards;
  /** What to say of a guest that could not unpack all of its files. */
  unpackingFailure: PullerError;
  bootTimeoutMs: number;
}

class RunningInstance implements Instance {
  readonly id: string;
  readonly machine: Machine;
  readonly outcome: Promise<Outcome>;
  readonly #options: InstanceOptions;
  readonly #circumstances: Circumstances;
  readonly #control: ControlChannel;
  readonly #log: LogTail;
  readonly #stdout: OutputCopy;
  readonly #stderr: OutputCopy;
  readonly #input: InputCopy | undefined;
  readonly #watchdog: Watchdog | undefined;
  readonly #settled = Promise.withResolvers<ProgramEnd>();
  #hello: Hello | undefined;
  #failure: Failure | undefined;
  /** Of a guest that is silent. */
  #report: Promise<void> | undefined;
  #exit: Exit | undefined;

  constructor(machine: Machine, start: Buffer, options: InstanceOptions, circumstances: Circumstances) {
    this.id = circumstances.id;
    this.machine = machine;
    this.#options = options;
    this.#circumstances = circumstances;
    this.#log = new LogTail(machine.log, options.console ?? options.kernelLog);
    // At once, whatever the program does meanwhile: nothing must run on half of its files.
    this.#log.watch(UNPACKING_FAILURE, () => this.#settled.reject(circumstances.unpackingFailure));
    this.#log.watch(OUT_OF_MEMORY, () => options.onEvent?.({ type: 'out-of-memory', ms: this.#since() }));
    const failed = (name: string) => (cause: Error) => this.#settled.reject(outputFailed(name, cause));
    this.#stdout = new OutputCopy(machine.stdout, options.stdout, failed('standard output'));
    this.#stderr = new OutputCopy(machine.stderr, options.stderr, failed('standard error'));
    this.#control = new ControlChannel(machine.control);
    // A monitor that has ended resets its sockets.
    machine.agent?.on('error', () => {});
    const { watchdogMs: limitMs = WATCHDOG_MS } = options;
    if (limitMs > 0) {
      this.#watchdog = new Watchdog({
        limitMs,
        ping: (id) => this.#control.ping(id),
        onSilence: (silentMs) => {
          this.#report = this.#silent(silentMs);
          return this.#report;
        },
      });
    }
    this.#listen();
    this.#control.start(start);
    const { stdin = 'empty' } = options;
    if (stdin !== 'empty') {
      this.#input = new InputCopy(stdin, machine.stdin, (bytes) => this.#control.stdinEnd(bytes));
    }
    this.outcome = this.#run();
    // Whoever only wants the instance's signals need not wait for its end.
    this.outcome.catch(() => {});
  }

  async forwards(): Promise<PortForward[]> {
    return this.#circumstances.relayed.resolve();
  }

  signal(number: number): void {
    if (this.#isUp()) this.#control.signal(number);
    else if (endsMachine(number, this.#exit === undefined ? 'booting' : 'draining')) {
      this.#end({ signal: number, core: false });
    }
  }

  /**
   * Whether the guest reads its control port. START went there first, so a signal finds the program. Output counts as
   * well: it comes another way, and may be seen before the frame that was sent before it.
   */
  #isUp(): boolean {
    if (this.#exit !== undefined) return false;
    return this.#hello !== undefined || this.#stdout.seen > 0 || this.#stderr.seen > 0;
  }

  resize(size: TerminalSize): void {
    if (this.#isUp()) this.#control.resize(size);
  }

  agent(): { port: Duplex } | { missing: NoAgent } {
    const { agentOff } = this.#circumstances;
    if (agentOff !== undefined) return { missing: agentOff };
    if (this.#hello === undefined || this.#exit !== undefined) return { missing: 'starting' };
    const { agent: port } = this.machine;
    return this.#hello.agent === 0 || port === undefined ? { missing: 'kernel' } : { port };
  }

  kill(): void {
    this.#end({ signal: SIGKILL, core: false });
  }

  #end(end: ProgramEnd): void {
    this.#settled.resolve(end);
    this.machine.kill();
  }

  #listen(): void {
    const { onEvent } = this.#options;
    this.#control.on('hello', (hello) => {
      this.#hello = hello;
      onEvent?.({ type: 'hello', hello, ms: this.#since() });
      try {
        checkContract(hello.contract);
        if (this.#options.terminal !== undefined && hello.agent === 0) throw noTerminal();
        // Every version of the contract has PING.
        this.#watchdog?.start();
      } catch (error) {
        this.#settled.reject(error);
      }
    });
    this.#control.on('started', (pid) => {
      onEvent?.({ type: 'started', pid, ms: this.#since() });
    });
    this.#control.on('pong', ({ id }) => this.#watchdog?.answer(id));
    this.#control.on('failure', (failure) => {
      this.#failure = failure;
    });
    this.#control.on('exit', (exit) => {
      this.#watchdog?.stop();
      this.#exit = exit;
      onEvent?.({ type: 'exit', exit, ms: this.#since() });
      void this.#collect(exit);
    });
    this.#control.on('error', this.#settled.reject);
    const closed = new Promise<void>((resolve) => this.#control.once('close', resolve));
    void Promise.all([this.machine.exited, closed]).then(([exit]) => this.#monitorEnded(exit));
  }

  /** Milliseconds since the start was asked for. */
  #since(): number {
    return performance.now() - this.#circumstances.begin;
  }

  async #silent(silentMs: number): Promise<void> {
    const { machine } = this;
    const alive = (): boolean => this.#exit !== undefined || !this.#watchdog?.silent;
    const verdict = await reportHang({ machine, log: this.#log, alive, silentMs });
    if (verdict === 'alive') return;
    const ms = this.#since();
    if (typeof verdict === 'object' && 'revived' in verdict) {
      this.#options.onEvent?.({ type: 'revived', text: verdict.revived, ms });
      return;
    }
    this.#options.onEvent?.({ type: 'silent', held: verdict === 'held', ms });
    if (verdict !== 'held') this.#settled.reject(verdict);
  }

  /** The program has ended: what it wrote is still on its way. */
  async #collect({ end, stdout, stderr }: Exit): Promise<void> {
    const whole = await Promise.all([this.#stdout.complete(stdout), this.#stderr.complete(stderr)]);
    if (whole.includes(false)) this.#settled.reject(crashed('the monitor ended before all output had come'));
    else this.#settled.resolve(end);
  }

  /** The monitor is gone; all that it had sent on the control port has been read. */
  async #monitorEnded(exit: MachineExit): Promise<void> {
    if (this.#exit !== undefined) return;
    // Where a silent guest is being reported, that is what matters: being asked may have ended it.
    await this.#report;
    await Promise.all([this.#stdout.drained(), this.#stderr.drained(), this.#log.end()]);
    if (this.#hello === undefined && (exit.code !== 0 || exit.signal !== null)) {
      this.#settled.reject(this.#circumstances.explain(exit));
    } else {
      const when = this.#hello === undefined ? 'before it could start the program' : 'while the program ran';
      this.#settled.reject(crashed(`the guest ended ${when}: ${howItEnded(exit, this.#log.text())}`));
    }
  }

  async #run(): Promise<Outcome> {
    const { signal } = this.#options;
    const { bootTimeoutMs } = this.#circumstances;
    const abort = (): void => this.#settled.reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    const late = setTimeout(() => this.#settled.reject(bootTimeout(bootTimeoutMs)), bootTimeoutMs);
    this.#control.once('hello', () => clearTimeout(late));
    try {
      const end = await this.#settled.promise;
      return {
        status: exitStatus(end),
        end,
        failure: this.#failure,
        hello: this.#hello,
        choice: this.#circumstances.choice,
        kernelLog: this.#log.text(LOG_LINES),
      };
    } catch (error) {
      if (error instanceof PullerError) {
        error.kernelLog = this.#log.text(error.code === 'GUEST_UNRESPONSIVE' ? REPORT_LINES : LOG_LINES);
      }
      throw error;
    } finally {
      clearTimeout(late);
      this.#watchdog?.stop();
      signal?.removeEventListener('abort', abort);
      this.#input?.stop();
      this.machine.kill();
      await this.machine.exited;
    }
  }
}
