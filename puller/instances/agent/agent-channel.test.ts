// SPDX-License-Identifier: Apache-2.0
import { Duplex } from 'node:stream';
import { expect, test, vi } from 'vitest';
import {
  AGENT,
  AgentFrameDecoder,
  encodeAgentFrame,
  encodeAgentRecords,
  SESSIONS_MAX,
} from '../../guest-contract/agent-frames.ts';
import { AgentChannel } from './agent-channel.ts';
import { OUTPUT_WINDOW, type SessionListener } from './agent-session.ts';

class Port extends Duplex {
  readonly decoder = new AgentFrameDecoder(1024 ** 2);
  readonly sent: { type: number; session: number }[] = [];

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.sent.push(...this.decoder.push(chunk));
    done();
  }

  says(type: number, session: number, records: [string, string][] = []): void {
    this.push(encodeAgentRecords(type, session, records));
  }
}

function listener() {
  return {
    opened: vi.fn(),
    output: vi.fn(),
    roomy: vi.fn(),
    exited: vi.fn(),
    failed: vi.fn(),
    broken: vi.fn(),
  } satisfies SessionListener;
}

function channel(openLimitMs = 60_000) {
  const port = new Port();
  const broken = vi.fn();
  return { port, broken, agent: new AgentChannel(port, broken, openLimitMs) };
}

test('a session from its beginning to its end', async () => {
  const { port, agent } = channel();
  const heard = listener();
  const session = agent.open([['kind', 'exec']], heard);
  port.says(AGENT.opened, 1, [['pid', '7']]);
  port.push(encodeAgentFrame(AGENT.output, 1, Buffer.from('hello')));
  port.says(AGENT.exit, 1, [['status', '3']]);
  await vi.waitFor(() => expect(heard.exited).toHaveBeenCalledWith({ status: 3 }));
  expect(heard.opened).toHaveBeenCalledWith(7);
  expect(heard.output).toHaveBeenCalledWith('stdout', Buffer.from('hello'));
  session.write(Buffer.from('too late'));
  expect(port.sent.map(({ type }) => type)).toEqual([AGENT.open]);
});

test('credit is given when the bytes are where they belong, in steps', async () => {
  const { port, agent } = channel();
  const heard = listener();
  const session = agent.open([], heard);
  port.says(AGENT.opened, 1, [['pid', '7']]);
  port.push(encodeAgentFrame(AGENT.output, 1, Buffer.alloc(30_000)));
  await vi.waitFor(() => expect(heard.output).toHaveBeenCalled());
  session.taken(1_000);
  expect(port.sent).toHaveLength(1);
  session.taken(OUTPUT_WINDOW / 4);
  expect(port.sent.map(({ type }) => type)).toEqual([AGENT.open, AGENT.credit]);
});

test('more than the credit breaks the agent, for all sessions and from then on', async () => {
  const { port, agent, broken } = channel();
  const [one, other] = [listener(), listener()];
  agent.open([], one);
  agent.open([], other);
  port.says(AGENT.opened, 1, [['pid', '7']]);
  for (let sent = 0; sent <= OUTPUT_WINDOW; sent += 32_000) {
    port.push(encodeAgentFrame(AGENT.output, 1, Buffer.alloc(32_000)));
  }
  await vi.waitFor(() => expect(broken).toHaveBeenCalledOnce());
  for (const heard of [one, other]) {
    expect(heard.broken).toHaveBeenCalledWith(expect.objectContaining({ code: 'GUEST_PROTOCOL' }));
  }
  expect(() => agent.open([], listener())).toThrow(/more output/);
  expect(port.destroyed).toBe(true);
});

test('a session that is closed may still be spoken of, within what it had left', async () => {
  const { port, agent, broken } = channel();
  const session = agent.open([], listener());
  port.says(AGENT.opened, 1, [['pid', '7']]);
  await vi.waitFor(() => expect(port.readableLength).toBe(0));
  session.close();
  expect(port.sent.at(-1)).toMatchObject({ type: AGENT.close, session: 1 });
  for (let i = 0; i < 8; i++) port.push(encodeAgentFrame(AGENT.output, 1, Buffer.alloc(32_000)));
  port.says(AGENT.exit, 1, [['signal', '9']]);
  await vi.waitFor(() => expect(port.readableLength).toBe(0));
  expect(broken).not.toHaveBeenCalled();
});

test('one that does not answer is given up, and closed', async () => {
  const { port, agent, broken } = channel(20);
  const heard = listener();
  agent.open([], heard);
  await vi.waitFor(() => expect(heard.broken).toHaveBeenCalledWith(expect.objectContaining({ code: 'AGENT_SILENT' })));
  expect(port.sent.map(({ type }) => type)).toEqual([AGENT.open, AGENT.close]);
  expect(broken).not.toHaveBeenCalled();
});

test('so many sessions at a time; the end of the guest ends them all', () => {
  const { port, agent } = channel();
  const heard = Array.from({ length: SESSIONS_MAX }, () => {
    const one = listener();
    agent.open([], one);
    return one;
  });
  expect(() => agent.open([], listener())).toThrow(/at a time/);
  port.emit('close');
  for (const one of heard) expect(one.broken).toHaveBeenCalledOnce();
});
