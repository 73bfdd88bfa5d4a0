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
        },
      },
      {
        // What starts servers, real clients and guests: one file after the other, so that none starves another.
        test: {
          name: 'whole',
          include: ['test/**/*.test.ts'],
          exclude: ['test/walls/**'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
