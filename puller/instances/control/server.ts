// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { type Answer, type Conversation, parseRequest, REQUEST_MAX, type Request } from './protocol.ts';
import { shortPath } from './short-path.ts';

/** What a conversation begins with, and who has the connection from then on. */
export interface Begun {
  answer: Answer;
  /** The connection does not flow yet; whoever has it lets it. */
  converse?: ((socket: Socket) => void) | undefined;
}

export interface ControlAnswers {
  /** What to say; it may take long. */
  answer(request: Exclude<Request, Conversation>): Promise<Answer>;
  begin(request: Conversation): Promise<Begun>;
}

/**
 * Listens at a supervisor's control port, a socket in the instance's folder, which only its user may enter. What an
 * earlier supervisor left there is replaced: this one has the claim.
 */
export async function serveControl(path: string, answers: ControlAnswers): Promise<Server> {
  rmSync(path, { force: true });
  const server = createServer((socket) => receive(socket, answers));
  const short = shortPath(path);
  // As it closes, it removes the socket by the name that it was given.
  server.once('close', () => short.close());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(short.path, resolve);
  });
  return server;
}

const UNKNOWN: Answer = {
  ok: false,
  reason: { code: 'REQUEST_UNKNOWN', message: 'not a request that is known here' },
};

function receive(socket: Socket, answers: ControlAnswers): void {
  let bytes = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    const end = bytes.indexOf('\n');
    if (end < 0 || end > REQUEST_MAX) {
      if (bytes.length > REQUEST_MAX) socket.destroy();
      return;
    }
    socket.removeAllListeners('data');
    const request = parseRequest(bytes.toString('utf8', 0, end));
    if (request?.verb === 'session' || request?.verb === 'attach') {
      socket.pause();
      const rest = bytes.subarray(end + 1);
      answers.begin(request).then((begun) => begin(socket, begun, rest));
      return;
    }
    socket.resume();
    const said = request === undefined ? Promise.resolve(UNKNOWN) : answers.answer(request);
    said.then((answer) => say(socket, answer));
  });
}

function say(socket: Socket, answer: Answer): void {
  socket.end(`${JSON.stringify(answer)}\n`);
}

function begin(socket: Socket, { answer, converse }: Begun, rest: Buffer): void {
  if (converse === undefined || socket.destroyed) {
    socket.resume();
    say(socket, answer);
    return;
  }
  socket.write(`${JSON.stringify(answer)}\n`);
  if (rest.length > 0) socket.unshift(rest);
  converse(socket);
}
