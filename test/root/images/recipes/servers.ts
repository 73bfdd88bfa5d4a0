// SPDX-License-Identifier: Apache-2.0
// Servers as their users run them: an entry script, a user of their own, data on a volume, a signal that ends them.
import type { Recipe } from '../recipe.ts';
import { TREE } from './tree.ts';

const postgres: Recipe = {
  name: 'postgres',
  shows: 'initdb, shared memory, several processes of a user of their own',
  from: 'debian',
  steps: [
    // Debian would make a cluster at once; images make it when they first start.
    { install: ['postgresql-common'] },
    {
      run: "sed -i 's/^#*create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf",
    },
    { install: ['postgresql-15'] },
    {
      files: [
        { path: '/usr/local/bin/docker-entrypoint.sh', copy: 'postgres-entrypoint.sh', mode: '755' },
        { path: '/usr/local/bin/queries', copy: 'postgres-queries.sh', mode: '755' },
        { path: '/docker-entrypoint-initdb.d/first.sql', text: 'CREATE TABLE made_by_the_entry_script (n int);\n' },
      ],
    },
    { remove: ['/usr/share/doc', '/usr/share/postgresql/15/man'] },
  ],
  config: {
    Entrypoint: ['docker-entrypoint.sh'],
    Cmd: ['postgres', '-c', 'listen_addresses=*'],
    Env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/15/bin',
      PGDATA: '/var/lib/postgresql/data',
    },
    ExposedPorts: ['5432/tcp'],
    Volumes: ['/var/lib/postgresql/data'],
    StopSignal: 'SIGINT',
  },
  checks: [
    {
      title: 'a cluster is made, and answers queries',
      args: ['queries'],
      memory: '512M',
      stdout: [
        '10000|50005000',
        'rolled back to 10000',
        '9|one of 1000',
        'index',
        'made_by_the_entry_script',
        'utf8 ü 1',
        '',
      ].join('\n'),
    },
    {
      title: 'the server on its port, ended by SIGINT',
      memory: '512M',
      // SSLRequest of PostgreSQL's protocol; a server without TLS answers N.
      request: { port: 5432, send: Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f), answer: /^N$/ },
    },
  ],
};

const redis: Recipe = {
  name: 'redis',
  shows: 'data on a volume that outlives the instance',
  from: 'debian',
  steps: [
    { install: ['redis-server'] },
    { run: 'install -d -o redis -g redis -m 750 /data' },
    { remove: ['/usr/share/doc', '/etc/redis'] },
  ],
  config: {
    Entrypoint: ['redis-server'],
    Cmd: [
      '--dir',
      '/data',
      '--appendonly',
      'yes',
      '--appendfsync',
      'always',
      '--save',
      '',
      '--protected-mode',
      'no',
      '--bind',
      '0.0.0.0',
    ],
    User: 'redis:redis',
    ExposedPorts: ['6379/tcp'],
    Volumes: ['/data'],
    WorkingDir: '/data',
  },
  checks: [
    {
      title: 'writes to its append-only file',
      volume: '/data',
      request: {
        port: 6379,
        send: 'SET greeting hello\r\nRPUSH list a b c\r\nQUIT\r\n',
        answer: /^\+OK\r\n:\d+\r\n\+OK/,
      },
    },
    {
      title: 'has it all when it starts again',
      volume: '/data',
      request: {
        port: 6379,
        send: 'GET greeting\r\nLRANGE list 0 2\r\nQUIT\r\n',
        answer: /^\$5\r\nhello\r\n\*3\r\n\$1\r\na\r\n\$1\r\nb\r\n\$1\r\nc\r\n\+OK/,
      },
    },
    {
      title: 'without the volume it is empty',
      request: { port: 6379, send: 'GET greeting\r\nQUIT\r\n', answer: /^\$-1\r\n\+OK/ },
    },
  ],
};

const nginx: Recipe = {
  name: 'nginx',
  shows: 'logs that are links to /dev/stdout, a master with workers, sendfile',
  from: 'debian',
  steps: [
    { install: ['nginx-light'] },
    {
      files: [
        { path: '/var/log/nginx/access.log', link: '/dev/stdout' },
        { path: '/var/log/nginx/error.log', link: '/dev/stderr' },
        { path: '/etc/nginx/sites-available/default', copy: 'nginx-site.conf' },
        { path: '/var/www/html/index.html', text: '<p>nginx from a container image</p>\n' },
      ],
    },
    { remove: ['/var/www/html/index.nginx-debian.html', '/usr/share/doc', '/usr/share/man'] },
  ],
  config: { Cmd: ['nginx', '-g', 'daemon off;'], ExposedPorts: ['80/tcp'], StopSignal: 'SIGQUIT' },
  checks: [
    TREE,
    { title: 'its configuration is sound', args: ['nginx', '-t', '-q'], stdout: '' },
    {
      title: 'a page, and its line in the log on standard output',
      request: {
        port: 80,
        send: 'GET / HTTP/1.0\r\n\r\n',
        answer: /200 OK[\s\S]*<p>nginx from a container image<\/p>/,
      },
      stdout: /"GET \/ HTTP\/1\.0" 200 36 /,
    },
    {
      title: 'what is not there',
      request: { port: 80, send: 'GET /none HTTP/1.0\r\n\r\n', answer: /404 Not Found/ },
      stdout: /"GET \/none HTTP\/1\.0" 404 /,
    },
  ],
};

const apache: Recipe = {
  name: 'apache',
  shows: 'a server of many processes, which start others',
  from: 'debian',
  steps: [
    { install: ['apache2'] },
    {
      run: 'a2dismod -q mpm_event && a2enmod -q mpm_prefork cgi status && a2dissite -q 000-default && rm /var/www/html/index.html',
    },
    {
      files: [
        { path: '/etc/apache2/conf-enabled/many.conf', copy: 'apache-many.conf' },
        { path: '/usr/lib/cgi-bin/worker', copy: 'apache-worker.sh', mode: '755' },
        { path: '/usr/local/bin/ask-many', copy: 'apache-ask-many.sh', mode: '755' },
        { path: '/var/www/html/page.txt', text: 'a page of Apache\n' },
      ],
    },
  ],
  config: {
    Cmd: ['apache2', '-DFOREGROUND'],
    Env: {
      APACHE_RUN_USER: 'www-data',
      APACHE_RUN_GROUP: 'www-data',
      APACHE_PID_FILE: '/run/apache2/apache2.pid',
      APACHE_RUN_DIR: '/run/apache2',
      APACHE_LOCK_DIR: '/run/lock',
      APACHE_LOG_DIR: '/var/log/apache2',
    },
    ExposedPorts: ['80/tcp'],
    StopSignal: 'SIGWINCH',
  },
  checks: [
    {
      title: 'answers from many processes at once',
      args: ['ask-many'],
      memory: '512M',
      stdout: '20 answers from 20 workers, the last: www-data of 20\n',
    },
    {
      title: 'a page',
      memory: '256M',
      request: { port: 80, send: 'GET /page.txt HTTP/1.0\r\n\r\n', answer: /200 OK[\s\S]*a page of Apache/ },
    },
    {
      title: 'workers that wait, ended by SIGWINCH',
      memory: '256M',
      request: {
        port: 80,
        send: 'GET /server-status?auto HTTP/1.0\r\n\r\n',
        answer: /ServerMPM: prefork[\s\S]*IdleWorkers: (?:39|4\d)/,
      },
    },
  ],
};

export const SERVERS: readonly Recipe[] = [postgres, redis, nginx, apache];
