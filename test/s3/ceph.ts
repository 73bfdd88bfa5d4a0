// SPDX-License-Identifier: Apache-2.0
// A real S3 server for tests and for trying things out, on a Debian, as root:
//
//   node test/s3/ceph.ts start        installs it on first use, prints what a client needs; keeps running
//   node test/s3/ceph.ts stop
//   node test/s3/ceph.ts wipe         stops it and forgets its data
//   node test/s3/ceph.ts stop-behind PID    stops it when that process is gone
//
// UK_TEST_CEPH_RELEASE=trixie takes an older one.
import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { Ceph, CREDENTIALS } from './ceph/cluster.ts';

const ceph = new Ceph();
const [verb, pid] = process.argv.slice(2);
switch (verb) {
  case 'start': {
    const { endpoint } = await ceph.start();
    console.log(`export UK_TEST_S3_ENDPOINT=${endpoint}`);
    console.log(`export UK_TEST_S3_ACCESS_KEY=${CREDENTIALS.accessKeyId}`);
    console.log(`export UK_TEST_S3_SECRET_KEY=${CREDENTIALS.secretAccessKey}`);
    break;
  }
  case 'stop':
    await ceph.stop();
    break;
  case 'wipe':
    await ceph.wipe();
    break;
  case 'stop-behind':
    while (existsSync(`/proc/${pid}`)) await wait(1000);
    await ceph.stop();
    break;
  default:
    console.error('node test/s3/ceph.ts start | stop | wipe');
    process.exit(2);
}
