// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  response.end(`node says ${request.url} ${process.env.NODE_ENV}\n`);
});
server.listen(3000, () => console.log('listening'));
process.on('SIGTERM', () => {
  server.close(() => console.log('ended'));
  server.closeAllConnections();
});
