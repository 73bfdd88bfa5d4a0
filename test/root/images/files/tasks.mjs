// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, get } from 'node:http';
import { Worker } from 'node:worker_threads';
import { gunzipSync, gzipSync } from 'node:zlib';

const fibonacci = `
  const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));
  require('node:worker_threads').parentPort.postMessage(fib(30));`;
const workers = Array.from({ length: 4 }, () => new Worker(fibonacci, { eval: true }));
console.log('workers:', ...(await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]))));

const child = spawn('sh', ['-c', 'tr a-z A-Z; exit 7'], { stdio: ['pipe', 'pipe', 'inherit'] });
child.stdin.end('hello');
let said = '';
child.stdout.on('data', (piece) => {
  said += piece;
});
const [status] = await once(child, 'close');
console.log(`child: ${said}, ${status}`);

await writeFile('/tmp/zeros', Buffer.alloc(1_000_000));
const bytes = await readFile('/tmp/zeros');
console.log(`file: ${bytes.length} bytes, ${createHash('sha256').update(bytes).digest('hex')}`);

const small = gzipSync(bytes);
console.log('gzip:', small.length < 2000 && gunzipSync(small).equals(bytes) ? 'smaller and back' : 'wrong');

const server = createServer((request, response) => response.end(request.url)).listen(0, '127.0.0.1');
await once(server, 'listening');
const ask = (n) =>
  new Promise((done, fail) => {
    get({ port: server.address().port, host: '127.0.0.1', path: `/${n}` }, async (response) => {
      let text = '';
      for await (const piece of response) text += piece;
      done(text === `/${n}`);
    }).on('error', fail);
  });
const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => ask(n)));
console.log('http:', answers.filter(Boolean).length, 'answers of /n');
server.close();
process.exitCode = 12;
