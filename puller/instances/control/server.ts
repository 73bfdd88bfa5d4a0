// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { type Answer, parseRequest, REQUEST_MAX, type Request } from './protocol.ts';
import { shortPath } from './short-path.ts';

/**
 * Listens at a supervisor's control port, a socket in the instance's folder, which only its user may enter. What an
 * earlier supervisor left there is replaced: this one has the claim.
 *
 * @param answer what to say; it may take long
 */
export async function serveControl(path: string, answer: (request: Request) => Promise<Answer>): Promise<Server> {
  rmSync(path, { force: true });
  const server = createServer((socket) => receive(socket, answer));
  const short = shortPath(path);
  // As it closes, it removes the socket by the name that it was given.
  server.once('close', () => short.close());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(short.path, resolve);
  });
  return server;
}

function receive(socket: Socket, answer: (request: Request) => Promise<Answer>): void {
  let text = '';
  socket.on('error', () => {});
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    text += chunk;
    const end = text.indexOf('\n');
    if (end < 0) {
      if (text.length > REQUEST_MAX) socket.destroy();
      return;
    }
    socket.removeAllListeners('data').resume();
    const request = parseRequest(text.slice(0, end));
    const said: Promise<Answer> =
      request === undefined
        ? Promise.resolve({
            ok: false,
            reason: { code: 'REQUEST_UNKNOWN', message: 'not a request that is known here' },
          })
        : answer(request);
    said.then((given) => socket.end(`${JSON.stringify(given)}\n`));
  });
}
