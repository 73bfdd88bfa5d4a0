// SPDX-License-Identifier: Apache-2.0
// What can be asked of the agent in a running instance.
import { setTimeout as delay } from 'node:timers/promises';
import type { Records } from '../../guest-contract/frames.ts';
import type { TerminalSize } from '../../guest-contract/start.ts';
import { converse, GONE } from '../control/client.ts';
import type { Answer, Conversation } from '../control/protocol.ts';
import { notRunning } from '../lifecycle/not-running.ts';
import { isActive, viewOf } from '../lifecycle/view.ts';
import type { InstanceFolder } from '../state/instance-folder.ts';
import { ClientSession, type SessionStreams } from './session.ts';

const PAUSE_MS = 20;

export interface ExecRequest {
  /** The command and its arguments. */
  args: readonly string[];
  /** `NAME=value`, beside the variables of the instance's program. */
  env?: readonly string[] | undefined;
  /** Default: the one of the instance's program. */
  workingDir?: string | undefined;
  /** `name`, `uid`, `name:group`, `uid:gid`. Default: the one of the instance's program. */
  user?: string | undefined;
  /** The command gets a terminal of that size. */
  terminal?: TerminalSize | undefined;
  /** The command is left alone as soon as it runs, and its output is thrown away. */
  detach?: boolean | undefined;
}

/**
 * Runs a command in a guest. It is refused where there is no agent: nothing ever runs on this machine instead.
 *
 * @throws PullerError `INSTANCE_NOT_RUNNING`, `AGENT_MISSING`, `AGENT_BUSY`, `SUPERVISOR_SILENT`, `IMAGE_UNSUPPORTED`
 */
export async function execInInstance(
  folder: InstanceFolder,
  request: ExecRequest,
  streams: SessionStreams,
): Promise<ClientSession> {
  const { args, env = [], workingDir, user, terminal, detach } = request;
  const records: [string, string][] = [['kind', 'exec']];
  for (const argument of args) records.push(['arg', argument]);
  for (const variable of env) records.push(['env', variable]);
  if (workingDir !== undefined) records.push(['cwd', workingDir]);
  if (user !== undefined) records.push(['user', user]);
  if (streams.stdin !== undefined) records.push(['stdin', '1']);
  if (detach) records.push(['detach', '1']);
  if (terminal !== undefined) {
    records.push(['tty', '1'], ['rows', String(terminal.rows)], ['columns', String(terminal.columns)]);
  }
  return await askAgent(folder, records, streams);
}

/** Asks the agent for anything that it knows; see docs/guest-contract.md. */
export async function askAgent(
  folder: InstanceFolder,
  records: Records,
  streams: SessionStreams,
): Promise<ClientSession> {
  const { socket } = await begin(folder, { verb: 'session' });
  return new ClientSession(socket, records, streams);
}

export interface Attached {
  session: ClientSession;
  /** Whether the program has a terminal. */
  terminal: boolean;
  takesInput: boolean;
}

/**
 * Joins the streams of the instance's own program. Output from before is in its log.
 *
 * @throws PullerError `INSTANCE_NOT_RUNNING`, `SUPERVISOR_SILENT`
 */
export async function attachToInstance(
  folder: InstanceFolder,
  streams: (about: Pick<Attached, 'terminal' | 'takesInput'>) => SessionStreams,
): Promise<Attached> {
  const { socket, answer } = await begin(folder, { verb: 'attach' });
  const { terminal = false, takesInput = false } = answer;
  const session = new ClientSession(socket, undefined, streams({ terminal, takesInput }));
  return { session, terminal, takesInput };
}

async function begin(folder: InstanceFolder, request: Conversation) {
  for (;;) {
    const view = await viewOf(folder);
    if (!isActive(view)) throw notRunning(view);
    const begun = await converse(folder.file('control'), request);
    if (begun !== GONE) return begun as Exclude<typeof begun, string> & { answer: Extract<Answer, { ok: true }> };
    // It does not listen yet, or no more.
    await delay(PAUSE_MS);
  }
}
