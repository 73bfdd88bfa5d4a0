// SPDX-License-Identifier: Apache-2.0
import { duplexPair } from 'node:stream';
import { expect, test } from 'vitest';
import { QmpClient } from './qmp.ts';

/** Answers each command with what `answer` says, in pieces that end nowhere in particular. */
function fakeMonitor(answer: (command: string, parameters: unknown) => object) {
  const [ours, theirs] = duplexPair();
  const heard: string[] = [];
  theirs.write('{"QMP": {"version": {}, "capabilities": []}}\r\n');
  theirs.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.trim().split('\n')) {
      const { execute, arguments: parameters, id } = JSON.parse(line);
      heard.push(execute);
      const event = '{"event": "RESUME", "timestamp": {}}\r\n';
      const bytes = Buffer.from(`${event}${JSON.stringify({ ...answer(execute, parameters), id })}\r\n`);
      theirs.write(bytes.subarray(0, 7));
      theirs.write(bytes.subarray(7));
    }
  });
  return { client: new QmpClient(ours), heard, end: () => theirs.destroy(), ours };
}

test('nothing is said before it is asked; then the capabilities once', async () => {
  const { client, heard } = fakeMonitor((command, parameters) => ({ return: { command, parameters } }));
  expect(heard).toEqual([]);
  const answers = await Promise.all([client.execute('query-status'), client.execute('stop', { now: true })]);
  expect(answers).toEqual([
    { command: 'query-status', parameters: {} },
    { command: 'stop', parameters: { now: true } },
  ]);
  expect(heard).toEqual(['qmp_capabilities', 'query-status', 'stop']);
});

test('a line of the human monitor', async () => {
  const { client } = fakeMonitor((command, parameters) => ({
    return:
      command === 'human-monitor-command'
        ? `did ${(parameters as { 'command-line': string })['command-line']}\r\n`
        : {},
  }));
  expect(await client.human('info registers')).toBe('did info registers\r\n');
});

test('a refusal is an error with its reason', async () => {
  const { client } = fakeMonitor((command) =>
    command === 'qmp_capabilities' ? { return: {} } : { error: { class: 'CommandNotFound', desc: 'no such command' } },
  );
  await expect(client.execute('nothing')).rejects.toMatchObject({
    code: 'MONITOR_FAILED',
    message: expect.stringContaining('no such command'),
  });
});

test('who waits while the monitor ends is told', async () => {
  const { client, ours } = fakeMonitor(() => {
    ours.destroy();
    return {};
  });
  await expect(client.execute('query-status')).rejects.toMatchObject({ code: 'MONITOR_FAILED' });
  await expect(client.execute('query-status')).rejects.toMatchObject({ code: 'MONITOR_FAILED' });
});
