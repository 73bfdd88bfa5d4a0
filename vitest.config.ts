// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{image-format,registry,puller,kernel-build,hardware-profiles}/**/*.test.ts',
            'test/walls/*.test.ts',
          ],
          maxWorkers: 2,
          // A backstop, not a measure: machines may be busy.
          testTimeout: 30_000,
        },
      },
      {
        // What starts servers, real clients and guests: one file after the other, so that none starves another.
        test: {
          name: 'whole',
          include: ['test/**/*.test.ts'],
          exclude: ['test/walls/**', 'test/s3/**'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 900_000,
        },
      },
      {
        // What needs an S3 server: `npm run test:s3` (see test/s3/global-setup.ts).
        test: {
          name: 's3',
          include: [
            'test/s3/**/*.test.ts',
            'test/conformance/*.test.ts',
            'test/clients/*.test.ts',
            'test/registry/{algorithms,answers,bad-requests,blobs,conditions,lists,manifests,uploads}.test.ts',
          ],
          globalSetup: 'test/s3/global-setup.ts',
          // The protocol's tests run as they are, on three replicas that take turns.
          env: { UK_TEST_STORAGE: 's3', UK_TEST_REPLICAS: '3' },
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
